#pragma once

#include <cstdint>
#include <memory>

#include "tests/wire/channel.hpp"

namespace iotsky::wire {

/// The broker's own threads and sockets in this process, on a free port of 127.0.0.1: two io
/// threads, a log that commits late, and anonymous clients that may do all.
class OpenBroker {
  public:
    explicit OpenBroker(Transport transport);
    ~OpenBroker();
    [[nodiscard]] std::uint16_t port() const noexcept;

  private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

}  // namespace iotsky::wire
