#pragma once

// Internal to broker/net.

#include <cstdint>
#include <memory>
#include <optional>

#include "broker/net/handshake_doctor.hpp"
#include "broker/net/socket_transport.hpp"
#include "broker/net/tls_context.hpp"
#include "broker/net/tls_context_impl.hpp"
#include "broker/net/tls_pipe.hpp"

namespace iotsky::net {

/// TLS over a socket that OpenSSL never sees (`dataplane.md` 7). One recv brings ciphertext into
/// the thread's buffer; only whole records go to OpenSSL, in slices of at most 16 KiB; an
/// unfinished one waits here in a buffer of its size. What OpenSSL writes goes into the thread's
/// cipher buffer and from there to the kernel in one call; what the kernel does not take is kept
/// here, and nothing is encrypted before it is gone. So there is no WANT_WRITE and no rule about
/// retries.
class TlsTransport : public SocketTransport {
  public:
    TlsTransport(Origin&& origin, std::shared_ptr<const TlsContext> context);
    ~TlsTransport() override;

    [[nodiscard]] bool write(broker::OutBuffer& out) override;
    [[nodiscard]] ReadResult read(IoBuffers& buffers, std::size_t bytes_max) override;
    [[nodiscard]] bool send_plain(std::span<const std::byte> bytes) override;
    [[nodiscard]] bool holds_input() const noexcept override {
        return undrained_ || !inbound_.empty();
    }
    [[nodiscard]] bool handshakes() const noexcept override { return true; }
    [[nodiscard]] HandshakeStep handshake(IoBuffers& buffers) override;
    void tell_failure(bool timed_out, TimePoint now, WallTime wall) override;

    /// Heap that an unfinished record costs now.
    [[nodiscard]] std::size_t inbound_bytes() const noexcept { return inbound_.capacity(); }

  protected:
    void say_goodbye() override;
    /// Seals at most kRecordPlainBytes behind what the cipher buffer holds, while that has room for
    /// them; push() sends it. False: broken.
    [[nodiscard]] bool stage(std::span<const std::byte> bytes);

  private:
    struct Input {
        std::span<const std::byte> bytes;
        bool drained = true;  ///< the next bytes come with an edge
        bool ended = false;
    };
    struct Opened {
        std::size_t taken = 0;  ///< ciphertext
        std::size_t plain = 0;
        bool stalled = false;  ///< a slice gave no application data
        broker::CloseReason ended = broker::CloseReason::none;
    };

    [[nodiscard]] Input fetch(IoBuffers& buffers, std::size_t bytes_max);
    void keep_input(std::span<const std::byte> rest);

    // tls_transport.cpp
    [[nodiscard]] Opened open_records(std::span<const std::byte> in, IoBuffers& buffers);
    void open_slice(IoBuffers& buffers, Opened& opened);
    [[nodiscard]] bool seal_record(broker::OutBuffer& out, IoBuffers& buffers);
    [[nodiscard]] std::size_t seal(std::span<const std::byte> plain);

    // tls_handshake.cpp
    [[nodiscard]] bool speaks_tls(std::span<const std::byte> in);
    [[nodiscard]] HandshakeStep advance(std::span<const std::byte> in, std::size_t& taken);
    void on_finished();
    void count_if_refused();
    void on_failed();
    [[nodiscard]] HandshakeFault fault_of_alert(int alert) const noexcept;

    std::shared_ptr<const TlsContext> context_;
    TlsPipe pipe_;
    TlsFacts facts_;
    ossl::SslPtr ssl_;
    ByteStash inbound_;  ///< ciphertext not yet given to OpenSSL
    std::optional<HandshakeFault> fault_;
    std::string detail_;
    std::uint16_t record_plain_max_ =
        kRecordPlainBytes;    ///< less with the max_fragment_length extension
    bool undrained_ = false;  ///< the kernel may hold bytes without an edge to come
    bool begun_ = false;      ///< the first bytes were TLS
    bool unusable_ = false;   ///< OpenSSL met an error: it must not be asked for anything more
};

}  // namespace iotsky::net
