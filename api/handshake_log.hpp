#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/thread.hpp"

namespace iotsky::api {

/// A failed handshake, or a peer that was refused before it had an identity, in words.
struct HandshakeFailure {
    std::uint64_t seq = 0;  ///< given by the log, rising; a folded one gets a new number
    std::string number;     ///< "E3203"
    std::string address;    ///< without port
    std::string listener;
    std::string certificate_name;  ///< when the peer sent one
    std::string server_name;       ///< SNI, when it asked for one
    std::string why;
    std::string how;
    std::uint32_t count = 1;
    WallTime time{};
};

/// The last failed handshakes, for GET /handshakes. Lost at a restart; equal ones (cause, address,
/// listener, certificate, name asked for) within 10 s are one entry with a count. Bounded, so a
/// flood costs no memory. Synchronised (docs/threading.md); any thread.
class HandshakeLog {
  public:
    explicit HandshakeLog(std::size_t entries_max = 200) : entries_max_(entries_max) {}

    void add(HandshakeFailure failure);
    /// Newest first, of one address or (empty) all, with a number below `before`.
    [[nodiscard]] std::vector<HandshakeFailure> list(const std::string& address,
                                                     std::uint64_t before, std::size_t limit) const;

  private:
    const std::size_t entries_max_;
    mutable Mutex mutex_;
    std::uint64_t last_seq_ IOTSKY_GUARDED_BY(mutex_) = 0;
    std::deque<HandshakeFailure> entries_ IOTSKY_GUARDED_BY(mutex_);  ///< oldest first
};

}  // namespace iotsky::api
