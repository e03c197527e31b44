#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "tests/unit/net/loop.hpp"
#include "tests/unit/net/test_pki.hpp"

namespace iotsky::net {

/// An OpenSSL client over memory, so that a test decides how its bytes are cut.
class TlsClient {
  public:
    struct Options {
        const TestCert* trust = nullptr;        ///< null: takes any server
        const TestCert* certificate = nullptr;  ///< null: sends none
        EVP_PKEY* other_key = nullptr;          ///< signs with this instead (make_wrong_key)
        int version = TLS1_3_VERSION;
        std::string server_name;
        std::string alpn;  ///< one protocol
        std::uint8_t fragment_code = 0;
        std::string ciphers;
        std::time_t clock_s = 0;  ///< the client's clock; 0: the true one
        bool check_name = false;  ///< that the server's certificate says `server_name`
    };

    explicit TlsClient(UniqueFd fd, const Options& options) : fd_(std::move(fd)) {
        ctx_.reset(SSL_CTX_new(TLS_client_method()));
        SSL_CTX_set_min_proto_version(ctx_.get(), options.version);
        SSL_CTX_set_max_proto_version(ctx_.get(), options.version);
        SSL_CTX_set_session_cache_mode(ctx_.get(),
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(ctx_.get(), [](SSL* ssl, SSL_SESSION* ticket) {
            auto& self = *static_cast<TlsClient*>(SSL_get_app_data(ssl));
            self.session.reset(ticket);
            ++self.tickets;
            return 1;
        });
        if (options.trust != nullptr) {
            SSL_CTX_set_verify(ctx_.get(), SSL_VERIFY_PEER, nullptr);
            X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx_.get()),
                                options.trust->certificate.get());
        }
        if (options.certificate != nullptr) {
            SSL_CTX_use_certificate(ctx_.get(), options.certificate->certificate.get());
            SSL_CTX_use_PrivateKey(ctx_.get(), options.other_key != nullptr
                                                   ? options.other_key
                                                   : options.certificate->key.get());
        }
        ssl_.reset(SSL_new(ctx_.get()));
        SSL_set_app_data(ssl_.get(), this);
        SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_connect_state(ssl_.get());
        if (options.clock_s != 0) {
            X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_.get()), options.clock_s);
        }
        if (options.check_name) {
            SSL_set1_host(ssl_.get(), options.server_name.c_str());
        }
        if (!options.server_name.empty()) {
            SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                     const_cast<char*>(options.server_name.c_str()));
        }
        if (!options.alpn.empty()) {
            const std::string wire = static_cast<char>(options.alpn.size()) + options.alpn;
            SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                                static_cast<unsigned>(wire.size()));
        }
        if (options.fragment_code != 0) {
            SSL_set_tlsext_max_fragment_length(ssl_.get(), options.fragment_code);
        }
        if (!options.ciphers.empty()) {
            SSL_set_cipher_list(ssl_.get(), options.ciphers.c_str());
        }
    }

    /// One step: takes what is there (at most `chunk` bytes a call), advances, sends (cut at
    /// `chunk`).
    void pump(std::size_t chunk = SIZE_MAX) {
        receive(chunk);
        ERR_clear_error();
        if (!SSL_is_init_finished(ssl_.get())) {
            const int result = SSL_do_handshake(ssl_.get());
            const int why = SSL_get_error(ssl_.get(), result);
            note_failure(result != 1 && why != SSL_ERROR_WANT_READ);
        }
        if (SSL_is_init_finished(ssl_.get())) {
            read_plain();
        }
        collect();
        flush(chunk);
    }
    void write(std::string_view text) {
        std::size_t written = 0;
        REQUIRE(SSL_write_ex(ssl_.get(), text.data(), text.size(), &written) == 1);
        collect();
    }
    void key_update(bool ask) {
        REQUIRE(SSL_key_update(ssl_.get(),
                               ask ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        REQUIRE(SSL_do_handshake(ssl_.get()) == 1);
        collect();
    }
    /// Offers the newest ticket of `earlier`; in TLS 1.3 each is good for one connection.
    void resume(const TlsClient& earlier) {
        REQUIRE(SSL_set_session(ssl_.get(), earlier.newest_session()) == 1);
    }
    /// The name of the key that sealed the newest ticket.
    [[nodiscard]] std::string ticket_key_name() const {
        const unsigned char* bytes = nullptr;
        std::size_t length = 0;
        SSL_SESSION_get0_ticket(newest_session(), &bytes, &length);
        return {reinterpret_cast<const char*>(bytes), std::min<std::size_t>(length, 16)};
    }
    /// Ciphertext into `to_send`, from where flush() or the test takes it.
    void collect() {
        char* bytes = nullptr;
        BIO* const out = SSL_get_wbio(ssl_.get());
        const long n = BIO_get_mem_data(out, &bytes);
        to_send.append(bytes, static_cast<std::size_t>(n));
        static_cast<void>(BIO_reset(out));
    }
    void flush(std::size_t chunk = SIZE_MAX) {
        const std::size_t n = write_some(fd_, std::string_view{to_send}.substr(0, chunk));
        to_send.erase(0, n);
    }
    [[nodiscard]] bool ready() const { return SSL_is_init_finished(ssl_.get()) == 1; }
    [[nodiscard]] bool resumed() const { return SSL_session_reused(ssl_.get()) == 1; }
    [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
    [[nodiscard]] const UniqueFd& fd() const { return fd_; }
    void drop() { fd_.reset(); }

    std::string got;
    std::string to_send;
    std::string raw;  ///< everything that came, before TLS
    std::size_t largest_record = 0;
    bool ended = false;    ///< end of stream
    bool goodbye = false;  ///< close_notify
    bool failed = false;
    int tickets = 0;
    int alert = -1;
    ossl::Ptr<SSL_SESSION, SSL_SESSION_free> session;

  private:
    [[nodiscard]] SSL_SESSION* newest_session() const {
        const bool in_handshake = SSL_version(ssl_.get()) < TLS1_3_VERSION;
        return in_handshake ? SSL_get_session(ssl_.get()) : session.get();
    }
    void receive(std::size_t chunk) {
        std::string in = read_some(fd_, &ended);
        raw += in;
        static_cast<void>(chunk);
        BIO_write(SSL_get_rbio(ssl_.get()), in.data(), static_cast<int>(in.size()));
    }
    void read_plain() {
        static thread_local std::array<char, 32U << 10U> part;
        std::size_t n = 0;
        while (SSL_read_ex(ssl_.get(), part.data(), part.size(), &n) == 1) {
            got.append(part.data(), n);
            largest_record = std::max(largest_record, n);
        }
        const int why = SSL_get_error(ssl_.get(), 0);
        goodbye |= why == SSL_ERROR_ZERO_RETURN;
        note_failure(why == SSL_ERROR_SSL);
    }
    void note_failure(bool now) {
        failed |= now;
        const int reason = ERR_GET_REASON(ERR_peek_last_error());
        if (now && reason > SSL_AD_REASON_OFFSET) {
            alert = reason - SSL_AD_REASON_OFFSET;
        }
    }

    UniqueFd fd_;
    ossl::SslCtxPtr ctx_;
    ossl::SslPtr ssl_;
};

}  // namespace iotsky::net
