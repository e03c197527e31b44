#pragma once

// Internal to broker/net.

#include <chrono>
#include <cstdint>
#include <string>

#include "broker/identity.hpp"
#include "broker/net/options.hpp"
#include "broker/net/ticket_keys.hpp"
#include "broker/net/tls_context.hpp"
#include "broker/net/tls_ossl.hpp"

namespace iotsky::net {

/// What OpenSSL's callbacks note about one connection; found through the SSL object.
struct TlsFacts {
    std::string server_name;       ///< SNI
    std::string certificate_name;  ///< CN of the client's leaf
    std::string certificate_der;
    broker::CertificateDirectory::Standing standing =
        broker::CertificateDirectory::Standing::active;
    bool revoked = false;           ///< refused because of strict_revocation
    int alert_received = -1;        ///< description of a fatal alert; -1: none
    bool certificate_sent = false;  ///< our flight with the certificate has gone out
    bool finished = false;          ///< the handshake is over
    TimePoint now{};                ///< of the turn
    TimePoint minute_begin{};
    std::uint32_t messages_in_minute = 0;  ///< post-handshake messages of the peer
    bool* stop_input = nullptr;            ///< TlsPipe::stop

    /// A KeyUpdate or the like. Each costs us a key schedule and perhaps an answer.
    void count_post_handshake() noexcept;
};

struct TlsContext::Impl {
    TlsOptions options;
    TicketKeySet tickets;
    broker::CertificateDirectory* directory = nullptr;
    std::string server_names;  ///< for people: what our certificate says
    ossl::CipherPtr ticket_cipher;
    ossl::SslCtxPtr ctx;

    ~Impl();
};

/// Index of the TlsFacts of an SSL, and of the Impl of an SSL_CTX.
[[nodiscard]] int facts_index() noexcept;
[[nodiscard]] int context_index() noexcept;
[[nodiscard]] TlsFacts& facts_of(const SSL& ssl) noexcept;

/// Judges the client's chain: by fingerprint first (tls_verify.cpp).
int verify_client(X509_STORE_CTX* store, void* context_impl);
/// Seals and opens session tickets (tls_tickets.cpp).
int ticket_key_callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int encrypt);

}  // namespace iotsky::net
