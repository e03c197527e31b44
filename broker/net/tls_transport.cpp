#include "broker/net/tls_transport.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/assert.hpp"
#include "broker/net/socket_io.hpp"
#include "broker/net/tls_records.hpp"
#include "broker/out_buffer.hpp"

namespace iotsky::net {

using broker::CloseReason;

TlsTransport::TlsTransport(Origin&& origin, std::shared_ptr<const TlsContext> context)
    : SocketTransport(std::move(origin)),
      context_(std::move(context)),
      ssl_(SSL_new(context_->impl().ctx.get())) {
    peer_.tls = true;
    facts_.stop_input = &pipe_.stop;
    ossl::BioPtr bio = make_pipe_bio(pipe_);
    if (!ssl_ || !bio || SSL_set_ex_data(ssl_.get(), facts_index(), &facts_) != 1) {
        ssl_.reset();  // no memory: the handshake fails
        return;
    }
    BIO* const both = bio.release();
    SSL_set_bio(ssl_.get(), both, both);
    SSL_set_accept_state(ssl_.get());
}

TlsTransport::~TlsTransport() {
    if (ssl_) {
        // Otherwise OpenSSL marks the session as one that must not be resumed.
        SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
}

TlsTransport::Input TlsTransport::fetch(IoBuffers& buffers, std::size_t bytes_max) {
    const std::span<const std::byte> held = inbound_.view();
    const std::size_t held_bytes = held.size();
    std::ranges::copy(held, buffers.input.begin());
    inbound_.clear();
    const std::span<std::byte> all{buffers.input};
    const WholeRecords waiting = whole_records(all.first(held_bytes), kRecordPlainBytes);
    if (waiting.bytes > 0 || waiting.malformed) {
        return {all.first(held_bytes), false, false};  // the kernel's turn comes after these
    }
    const IoResult got = receive(fd(), all.subspan(held_bytes, bytes_max));
    Input input{all.first(held_bytes + got.bytes), true, false};
    if (got.state == IoResult::State::ok) {
        input.drained = got.bytes < bytes_max;
    } else if (got.state != IoResult::State::would_block) {
        input.ended = peer_gone_ = true;
    }
    return input;
}

void TlsTransport::keep_input(std::span<const std::byte> rest) {
    inbound_.append(rest);
}

ReadResult TlsTransport::read(IoBuffers& buffers, std::size_t bytes_max) {
    const Input input = fetch(buffers, bytes_max);
    Opened opened = open_records(input.bytes, buffers);
    const bool usable = opened.ended == CloseReason::none;
    const std::span<const std::byte> rest = input.bytes.subspan(opened.taken);
    if (usable) {
        keep_input(rest);
    }
    const bool alive = push(buffers);  // answers to KeyUpdate, a last alert
    if (!alive || (input.ended && usable && !opened.stalled)) {
        opened.ended = CloseReason::peer_closed;
    }
    undrained_ = !input.drained || opened.stalled;
    return {std::span{buffers.plain}.first(opened.plain), undrained_, opened.ended};
}

TlsTransport::Opened TlsTransport::open_records(std::span<const std::byte> in, IoBuffers& buffers) {
    Opened opened;
    pipe_.out = &buffers;
    facts_.now = buffers.now;
    while (opened.ended == CloseReason::none && !opened.stalled) {
        const std::span<const std::byte> rest = in.subspan(opened.taken);
        const WholeRecords whole = whole_records(rest, kRecordPlainBytes);
        // A header that cannot be goes to OpenSSL as it is: it answers with the right alert.
        const std::size_t slice = whole.bytes > 0   ? whole.bytes
                                  : whole.malformed ? std::min(rest.size(), kRecordPlainBytes)
                                                    : 0;
        if (slice == 0) {
            break;
        }
        pipe_.in = rest.first(slice);
        open_slice(buffers, opened);
        opened.taken += slice - pipe_.in.size();
        pipe_.in = {};
    }
    pipe_.out = nullptr;
    return opened;
}

void TlsTransport::open_slice(IoBuffers& buffers, Opened& opened) {
    const std::size_t before = opened.plain;
    for (;;) {
        const std::span<std::byte> into = std::span{buffers.plain}.subspan(opened.plain);
        std::size_t got = 0;
        ERR_clear_error();
        const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &got);
        opened.plain += got;
        if (result == 1) {
            if (pipe_.in.empty() && SSL_pending(ssl_.get()) == 0) {
                break;  // spares the call that would say WANT_READ
            }
            continue;
        }
        const int why = SSL_get_error(ssl_.get(), result);
        if (why == SSL_ERROR_ZERO_RETURN) {
            opened.ended = CloseReason::peer_closed;  // close_notify
        } else if (why != SSL_ERROR_WANT_READ || pipe_.stop) {
            unusable_ = true;
            opened.ended = CloseReason::protocol_error;
        }
        break;
    }
    opened.stalled = opened.plain == before && opened.ended == CloseReason::none;
}

bool TlsTransport::write(broker::OutBuffer& out) {
    if (unusable_ || !send_kept()) {
        return false;
    }
    IoBuffers* const shared = buffers();
    IOTSKY_ASSERT(shared != nullptr);  // nothing is written between two threads
    wrote_ |= !out.empty();
    pipe_.out = shared;
    bool alive = true;
    while (alive && kept_.empty() && !out.empty()) {
        while (alive && !out.empty() && shared->cipher_room() >= IoBuffers::kRecordBytesMax) {
            alive = seal_record(out, *shared);
        }
        alive = push(*shared) && alive;
    }
    pipe_.out = nullptr;
    return alive;
}

bool TlsTransport::seal_record(broker::OutBuffer& out, IoBuffers& buffers) {
    std::array<::iovec, 16> pieces;
    const std::size_t used = out.gather(pieces);
    const auto* data = static_cast<const std::byte*>(pieces[0].iov_base);
    std::size_t length = std::min<std::size_t>(pieces[0].iov_len, record_plain_max_);
    if (used > 1 && length < record_plain_max_) {
        length = 0;
        for (std::size_t i = 0; i < used && length < record_plain_max_; ++i) {
            const std::size_t n = std::min(pieces[i].iov_len, record_plain_max_ - length);
            std::memcpy(buffers.record.data() + length, pieces[i].iov_base, n);
            length += n;
        }
        data = buffers.record.data();
    }
    const std::size_t sealed = seal({data, length});
    out.consume(sealed);
    return sealed > 0;
}

/// One record of the front of `plain`; how much it took, 0: never again.
std::size_t TlsTransport::seal(std::span<const std::byte> plain) {
    const std::size_t length = std::min<std::size_t>(plain.size(), record_plain_max_);
    std::size_t sealed = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_.get(), plain.data(), length, &sealed) != 1) {
        unusable_ = true;
        return 0;
    }
    return sealed;
}

bool TlsTransport::send_plain(std::span<const std::byte> bytes) {
    IoBuffers* const shared = buffers();
    if (unusable_ || shared == nullptr) {
        return false;
    }
    pipe_.out = shared;
    bool alive = true;
    while (alive && !bytes.empty()) {
        const std::size_t sealed = seal(bytes);
        bytes = bytes.subspan(sealed);
        alive =
            sealed > 0 && (shared->cipher_room() >= IoBuffers::kRecordBytesMax || push(*shared));
    }
    pipe_.out = nullptr;
    return push(*shared) && alive;
}

bool TlsTransport::stage(std::span<const std::byte> bytes) {
    IoBuffers* const shared = buffers();
    if (unusable_ || shared == nullptr) {
        return false;
    }
    pipe_.out = shared;
    while (!bytes.empty() && !unusable_) {
        bytes = bytes.subspan(seal(bytes));
    }
    pipe_.out = nullptr;
    return !unusable_;
}

void TlsTransport::say_goodbye() {
    IoBuffers* const shared = buffers();
    if (shared == nullptr || !ssl_ || unusable_ || !facts_.finished) {
        return;
    }
    pipe_.out = shared;
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // close_notify into the pipe; the peer's is not awaited
    pipe_.out = nullptr;
    static_cast<void>(push(*shared));
}

}  // namespace iotsky::net
