#pragma once

// Internal to broker/net.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "broker/net/address_limiter.hpp"
#include "broker/net/byte_stash.hpp"
#include "broker/net/handshake_doctor.hpp"
#include "broker/net/io_buffers.hpp"
#include "broker/net/peer_address.hpp"
#include "broker/transport.hpp"

namespace iotsky::net {

class Poller;
struct ListenerShared;

/// What one read of a connection gave.
struct ReadResult {
    std::span<std::byte> bytes;  ///< plain bytes, in the thread's buffers
    /// More may be there that no event will announce: the connection stays on the ready list.
    bool more = false;
    broker::CloseReason ended = broker::CloseReason::none;  ///< told after `bytes`
};

enum class HandshakeStep : std::uint8_t {
    waiting,  ///< for bytes of the peer
    more,     ///< go on in this or the next turn
    done,
    hand_over,  ///< it is HTTP for the listener's WebHandler
    failed,
};

/// A connection over a socket, as the Poller drives it. Owns the descriptor, which the Poller's
/// epoll knows while it is attached. Confined to the thread that holds it; moves whole between
/// threads (Poller::detach on one, Poller::attach on the other).
class SocketTransport : public broker::Transport {
  public:
    struct Origin {
        UniqueFd fd;
        broker::PeerInfo peer;
        AddressKey key;
        TimePoint accepted_at{};
        std::shared_ptr<ListenerShared> listener;  ///< none in tests over socket pairs
    };

    explicit SocketTransport(Origin&& origin) noexcept;
    ~SocketTransport() override;
    SocketTransport(const SocketTransport&) = delete;
    SocketTransport& operator=(const SocketTransport&) = delete;

    [[nodiscard]] const broker::PeerInfo& peer() const final { return peer_; }
    /// Hands descriptor and last bytes to the Poller, which sends them, says FIN and waits a little
    /// for the peer's: closing with unread bytes would send RST, and the peer would lose CONNACK 5.
    void close() final;

    /// One recv at most, of at most `bytes_max` bytes (<= IoBuffers::kReadBytes).
    [[nodiscard]] virtual ReadResult read(IoBuffers& buffers, std::size_t bytes_max) = 0;
    /// Bytes wait inside this object that no event will announce.
    [[nodiscard]] virtual bool holds_input() const noexcept { return false; }
    /// Whether it must finish a handshake before it is opened.
    [[nodiscard]] virtual bool handshakes() const noexcept { return false; }
    [[nodiscard]] virtual HandshakeStep handshake(IoBuffers& /*buffers*/) {
        return HandshakeStep::done;
    }
    /// The peer takes bytes again: what write() had to keep goes first. False: broken.
    [[nodiscard]] virtual bool send_kept();
    /// Sends a few plain bytes (at most 64 KiB) and keeps what the kernel does not take; only while
    /// nothing is kept. False: broken.
    [[nodiscard]] virtual bool send_plain(std::span<const std::byte> bytes) = 0;
    /// Tells doctor and limits why the handshake failed; `timed_out`: its deadline passed.
    virtual void tell_failure(bool /*timed_out*/, TimePoint /*now*/, WallTime /*wall*/) {}

    /// For the thread that serves a connection without a Poller: its buffers, which outlive this.
    void lend(IoBuffers& buffers) noexcept { lent_ = &buffers; }
    /// Ends our side, as far as the kernel takes it; the peer's goes on. Without a Poller only.
    void end_output();

    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    [[nodiscard]] TimePoint accepted_at() const noexcept { return accepted_at_; }
    [[nodiscard]] const std::shared_ptr<ListenerShared>& listener() const noexcept {
        return listener_;
    }
    [[nodiscard]] const ByteStash& kept() const noexcept { return kept_; }
    /// When the first byte of a request by HTTP came, if there is one.
    [[nodiscard]] TimePoint request_began() const noexcept { return request_began_; }

  protected:
    /// Sends `bytes` now and keeps what the kernel does not take. False: broken.
    [[nodiscard]] bool send_or_keep(std::span<const std::byte> bytes);
    /// Puts the last bytes (TLS: close_notify) into the kernel or `kept_`.
    virtual void say_goodbye() {}
    /// Sends what the cipher buffer holds, as send_or_keep().
    [[nodiscard]] bool push(IoBuffers& buffers);
    /// Counts the TLS handshake that is through.
    void tls_finished();
    /// Counts towards what its address may do wrong in a minute (`decisions.md` 18).
    void count_failure(TimePoint now, AddressLimiter::Kind kind = AddressLimiter::Kind::failure);
    enum class FailedIn : std::uint8_t { tls, request };
    /// Counts a failed handshake and tells the doctor; fills in who it was.
    void report_failure(HandshakeFailure failure, FailedIn where, TimePoint now, WallTime wall);
    /// The buffers of the thread this is attached to; nullptr while it is between two threads.
    [[nodiscard]] IoBuffers* buffers() const noexcept;

    UniqueFd fd_;
    broker::PeerInfo peer_;
    AddressKey key_;
    ByteStash kept_;  ///< sealed bytes that the kernel did not take
    TimePoint request_began_{};
    bool wrote_ = false;
    bool peer_gone_ = false;  ///< end of stream or reset was seen

  private:
    friend class Poller;
    static constexpr std::uint32_t kNoSlot = UINT32_MAX;

    TimePoint accepted_at_;
    std::shared_ptr<ListenerShared> listener_;
    Poller* poller_ = nullptr;
    IoBuffers* lent_ = nullptr;
    std::uint32_t slot_ = kNoSlot;
    bool closed_ = false;
};

}  // namespace iotsky::net
