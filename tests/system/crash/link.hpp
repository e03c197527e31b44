#pragma once

#include <cstdint>
#include <memory>

#include "tests/simulation/client.hpp"

namespace iotsky::crash {

/// Carries the bytes of a simulated client over a real socket.
class Link {
  public:
    explicit Link(simulation::ClientOptions options) : client_(std::move(options)) {}
    ~Link() { close(); }
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;

    /// Begins a connection to 127.0.0.1; false while nobody listens.
    bool connect(std::uint16_t port);
    /// Moves what can be moved without waiting; the client takes its steps.
    void pump();
    /// The client says DISCONNECT and is gone.
    void leave();
    void close();
    [[nodiscard]] bool open() const noexcept { return fd_ >= 0; }
    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] bool has_output() const noexcept { return wire_ && !wire_->to_broker.empty(); }
    [[nodiscard]] simulation::Client& client() noexcept { return client_; }
    [[nodiscard]] const simulation::Client& client() const noexcept { return client_; }

  private:
    void receive();
    void send();

    simulation::Client client_;
    std::shared_ptr<simulation::Wire> wire_;
    int fd_ = -1;
};

}  // namespace iotsky::crash
