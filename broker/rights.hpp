#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/mailbox.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// One change of rights on its way through all io threads (`dataplane.md` 4). The registry's view
/// is published before it is posted. Three rounds over the control lanes:
///   apply   new rights, masks, index entries; after the last acknowledgement the change is
///   effective, settle  each thread has published all mail that it routed by old entries, finish
///   that mail was delivered under recheck; recheck ends.
class RightsChange : public std::enable_shared_from_this<RightsChange> {
  public:
    RightsChange(Shared& shared, std::vector<std::string> scopes, std::function<void()> effective);
    /// Posts the first round. Thread: any.
    void start();

    enum class Round : std::uint8_t { apply, settle, finish };
    /// One thread is through with a round.
    void acknowledge(Round round);
    [[nodiscard]] const std::vector<std::string>& scopes() const noexcept { return scopes_; }

  private:
    void post(Round round);

    Shared& shared_;
    const std::vector<std::string> scopes_;
    std::function<void()> effective_;
    std::atomic<unsigned> left_{0};
};

/// What a change of rights does on one thread, in slices. Confined to the thread.
class Rights {
  public:
    explicit Rights(Shard::Impl& shard) noexcept : s_(shard) {}

    void begin(std::shared_ptr<RightsChange> change, RightsChange::Round round);
    /// A slice of the work; called in every turn after the control lane, before the mailboxes.
    void work();
    /// Called after the mailboxes were drained.
    void after_mail();
    [[nodiscard]] bool has_work() const noexcept { return !jobs_.empty(); }
    /// New rights for one session.
    void refresh(Session& session);
    /// Whether the session may be given messages of a canonical topic, now.
    [[nodiscard]] bool may_receive(const Session& session, std::string_view topic) const;

  private:
    struct Job {
        std::shared_ptr<RightsChange> change;
        std::size_t next_scope = 0;
    };
    Shard::Impl& s_;
    std::deque<Job> jobs_;
    std::vector<std::shared_ptr<RightsChange>> finishing_;
};

}  // namespace iotsky::broker
