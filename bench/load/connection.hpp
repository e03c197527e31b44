#pragma once

#include <optional>
#include <string>

#include "bench/load/mqtt_bytes.hpp"
#include "bench/load/tls.hpp"

namespace iotsky::load {

/// One client's connection: not blocking, over TCP or TLS. Confined to the thread of its loop.
class Connection {
  public:
    /// Begins to connect. Throws std::runtime_error when no socket can be had.
    /// `context` null: plain. `session` may be null; it is resumed.
    Connection(const Options& options, SSL_CTX* context, SSL_SESSION* session);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] SSL* ssl() const noexcept { return ssl_.get(); }
    /// Bytes to send are appended here; flush() sends them.
    [[nodiscard]] Bytes& out() noexcept { return out_; }
    [[nodiscard]] std::size_t waiting() const noexcept { return out_.size() - sent_; }
    /// The connection can take more only after the socket becomes writable.
    [[nodiscard]] bool wants_write() const noexcept { return wants_write_; }

    /// Goes on with connecting and handshake, then reads what is there; throws when the peer left.
    void on_ready();
    /// Sends as much as goes; before the handshake is done nothing.
    void flush();
    /// The next whole packet; it is valid until the next on_ready().
    [[nodiscard]] std::optional<Packet> next_packet();

  private:
    [[nodiscard]] bool advance();  ///< true when bytes can pass
    [[nodiscard]] bool wait_on(int result);
    void read_all();
    [[nodiscard]] std::ptrdiff_t read_some(std::span<std::uint8_t> room);
    [[nodiscard]] std::ptrdiff_t write_some(std::span<const std::uint8_t> bytes);

    enum class State { connecting, handshake, open };

    int fd_ = -1;
    SslPtr ssl_;
    State state_ = State::connecting;
    bool wants_write_ = true;
    Bytes out_;
    std::size_t sent_ = 0;
    Bytes in_;
    std::size_t taken_ = 0;
};

}  // namespace iotsky::load
