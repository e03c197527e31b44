#pragma once

#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/siphash.hpp"
#include "broker/ids.hpp"
#include "broker/session.hpp"

namespace iotsky::broker {

/// The sessions whose home is this thread, by key and by slot. Confined to the thread.
class SessionTable {
  public:
    explicit SessionTable(ThreadId thread) noexcept : thread_(thread) {}

    [[nodiscard]] Session* find(std::string_view scope, std::string_view client_id);
    /// Null when the session is gone, also when its slot was used again.
    [[nodiscard]] Session* find(SessionRef ref) noexcept;
    Session& create(SessionKey key);
    void erase(Session& session);

    [[nodiscard]] std::size_t size() const noexcept { return by_key_.size(); }
    template <typename F>
    void for_each(F&& f) {
        for (auto& slot : slots_) {
            if (slot.session) {
                f(*slot.session);
            }
        }
    }
    /// Slots in use or free: at() takes numbers below.
    [[nodiscard]] std::size_t slots() const noexcept { return slots_.size(); }
    /// Null when the slot is free.
    [[nodiscard]] Session* at(std::uint32_t slot) noexcept { return slots_[slot].session.get(); }
    /// The sessions of one principal.
    [[nodiscard]] std::vector<SessionRef> of_scope(std::string_view scope) const;

  private:
    struct Slot {
        std::unique_ptr<Session> session;
        std::uint32_t gen = 0;
    };

    ThreadId thread_;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::unordered_map<std::string, std::uint32_t, KeyedHash, std::equal_to<>> by_key_;
    std::unordered_map<std::string, std::vector<std::uint32_t>, KeyedHash, std::equal_to<>>
        by_scope_;
};

/// The home thread of a session: a keyed hash of what never changes in its life.
[[nodiscard]] ThreadId home_thread(std::string_view scope, std::string_view client_id,
                                   unsigned threads) noexcept;

}  // namespace iotsky::broker
