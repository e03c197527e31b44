#pragma once

#include <compare>
#include <cstdint>

namespace iotsky::broker {

/// Number of an io thread, 0 .. N-1.
using ThreadId = std::uint8_t;
inline constexpr unsigned kThreadsMax = 64;

/// A durable session's number; never reused. 0: the session is not persistent.
using Sid = std::uint64_t;
/// A message's number inside this node and boot: seq << 8 | thread. Unique, rising per thread.
using Mid = std::uint64_t;
/// Number of a batch of the log; `durable() >= n` means everything in batch n is on disk.
using BatchNo = std::uint64_t;
/// Number of a turn of one thread, rising by one. Gates are stamped with turns; a turn learns its
/// batch when it is appended.
using TurnNo = std::uint64_t;
/// Global revision of retained messages, rising.
using Rev = std::uint64_t;

/// A session from afar: valid from creation to deletion, over any number of connections.
struct SessionRef {
    std::uint32_t gen = 0;  ///< grows when the slot is reused; 0 is no session
    std::uint32_t slot : 24 = 0;
    std::uint32_t thread : 8 = 0;

    friend bool operator==(const SessionRef& a, const SessionRef& b) noexcept {
        return a.gen == b.gen && a.slot == b.slot && a.thread == b.thread;
    }
    friend std::strong_ordering operator<=>(const SessionRef& a, const SessionRef& b) noexcept {
        return a.packed() <=> b.packed();
    }
    [[nodiscard]] std::uint64_t packed() const noexcept {
        return (std::uint64_t{thread} << 56U) | (std::uint64_t{slot} << 32U) | gen;
    }
};
static_assert(sizeof(SessionRef) == 8);

/// A connection of one thread; events that carry an old generation are recognised and ignored.
struct ConnRef {
    std::uint32_t slot = 0;
    std::uint32_t gen = 0;  ///< 0 is no connection
    friend bool operator==(const ConnRef&, const ConnRef&) = default;
};

/// How a subscription names the topics of its own thing (`dataplane.md` 5).
enum class Form : std::uint8_t {
    plain = 0,  ///< canonical topic names
    me = 1,     ///< `$me/...`: deliveries go out as `$me/...`
};

/// What a route entry leads to.
enum class TargetKind : std::uint8_t {
    session,  ///< a client's session on its home thread
    group,    ///< a shared subscription: one member is chosen per message
    service,  ///< a handler inside the broker (broker/service.hpp)
    remote,   ///< another node of a cluster
};

}  // namespace iotsky::broker
