#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/thread.hpp"
#include "broker/identity.hpp"

namespace iotsky::api {

struct RefusalEntry {
    std::uint64_t seq = 0;  ///< rises by one per entry; a folded entry gets a new one
    broker::Refusal refusal;
};

/// A failed handshake or CONNECT, in words.
struct HandshakeFailure {
    std::string number;  ///< "E3203"
    std::string address;
    std::string listener;
    std::string certificate_name;  ///< when the peer sent one
    std::string server_name;       ///< SNI, when it asked for one
    std::string why;
    std::string how;
    std::uint32_t count = 1;
    WallTime time{};
};

struct HandshakeEntry {
    std::uint64_t seq = 0;
    HandshakeFailure failure;
};

struct RefusalFilter {
    std::optional<std::string> class_name;
    std::optional<std::string> thing_id;  ///< "th_..."
    std::uint64_t after = 0;              ///< entries with a higher number only
    std::uint64_t before = UINT64_MAX;    ///< and a lower one: the next page
    std::size_t limit = 100;
};

/// The last refusals and failed handshakes, for GET /refusals and /handshakes. Lost at a restart;
/// equal ones within 10 s are one entry with a count. Bounded, so a flood costs no memory.
/// Synchronised (docs/threading.md): any thread; the lock is held for a copy of texts.
class RefusalHistory final : public broker::RefusalSink {
  public:
    explicit RefusalHistory(std::size_t entries_max = 1000) : entries_max_(entries_max) {}

    void refused(const broker::Refusal& refusal) override;
    void handshake_failed(const HandshakeFailure& failure);

    /// Newest first.
    [[nodiscard]] std::vector<RefusalEntry> refusals(const RefusalFilter& filter) const;
    /// Newest first; `address` empty: all. Entries with a number below `before`.
    [[nodiscard]] std::vector<HandshakeEntry> handshakes(const std::string& address,
                                                         std::uint64_t before,
                                                         std::size_t limit) const;

  private:
    const std::size_t entries_max_;
    mutable Mutex mutex_;
    std::uint64_t last_seq_ IOTSKY_GUARDED_BY(mutex_) = 0;
    std::deque<RefusalEntry> refusals_ IOTSKY_GUARDED_BY(mutex_);
    std::deque<HandshakeEntry> handshakes_ IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::api
