#include "broker/net/tls_context.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <climits>
#include <utility>

#include "base/assert.hpp"
#include "broker/net/tls_context_impl.hpp"

namespace iotsky::net {
namespace {

using ossl::BioPtr;
using ossl::X509Ptr;

// Forward secrecy and AEAD only; AES-128 first: nothing here needs 256 bits, and small devices
// notice. TLS 1.3 suites are OpenSSL's own.
constexpr const char* kCiphers =
    "ECDHE+AESGCM+AES128:ECDHE+CHACHA20:ECDHE+AESGCM:ECDHE+AESCCM:!aNULL:!PSK:!DSS:!SHA1";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::size_t kServerChainBytesMax = 32U << 10U;  // fits the thread's cipher buffer
constexpr int kChainDepthMax = 4;

Error tls_error(std::string_view number, std::string message, std::string why) {
    Error error = make_error(Errc::invalid_argument, number, std::move(message), std::move(why),
                             "Restore the folder ca in the data folder from a backup.");
    error.detail = ossl::take_errors();
    return error;
}

BioPtr reader(std::string_view text) {
    const char* const bytes = text.empty() ? "" : text.data();  // null is an error to OpenSSL
    return BioPtr{BIO_new_mem_buf(bytes, static_cast<int>(text.size()))};
}

/// The next certificate, or null at the end (the queue then holds nothing but "no start line").
X509Ptr next_certificate(BIO& bio) {
    X509Ptr certificate{PEM_read_bio_X509(&bio, nullptr, nullptr, nullptr)};
    if (!certificate && ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE) {
        ERR_clear_error();
    }
    return certificate;
}

Result<void> use_chain(TlsContext::Impl& impl, std::string_view pem) {
    const BioPtr bio = reader(pem);
    X509Ptr leaf = next_certificate(*bio);
    if (!leaf || SSL_CTX_use_certificate(impl.ctx.get(), leaf.get()) != 1) {
        return tls_error("E3221", "The server certificate cannot be read.", "It is not valid PEM.");
    }
    impl.server_names = ossl::names_for_people(*leaf);
    std::size_t bytes = ossl::to_der(*leaf).size();
    while (X509Ptr issuer = next_certificate(*bio)) {
        bytes += ossl::to_der(*issuer).size();
        if (SSL_CTX_add1_chain_cert(impl.ctx.get(), issuer.get()) != 1) {
            return tls_error("E3221", "The server's chain cannot be used.", "OpenSSL refuses it.");
        }
    }
    if (ERR_peek_error() != 0 || bytes > kServerChainBytesMax) {
        return tls_error("E3221", "The server's chain cannot be used.",
                         "It is damaged or longer than 32 KiB.");
    }
    return {};
}

int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*user*/) {
    return -1;  // never asks on a terminal
}

Result<void> use_key(TlsContext::Impl& impl, std::string_view pem) {
    const BioPtr bio = reader(pem);
    const ossl::KeyPtr key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
    if (!key) {
        return tls_error("E3222", "The server's key cannot be read.",
                         "It is not valid PEM, or it is encrypted.");
    }
    if (SSL_CTX_use_PrivateKey(impl.ctx.get(), key.get()) != 1 ||
        SSL_CTX_check_private_key(impl.ctx.get()) != 1) {
        return tls_error("E3222", "The server's key does not fit its certificate.",
                         "They do not belong together.");
    }
    return {};
}

/// Adds the certificates of `pem` to what client certificates are verified by and, with `names`,
/// their names to what the peer is told to choose by.
Result<int> add_to_store(X509_STORE& store, std::string_view pem, STACK_OF(X509_NAME) * names) {
    const BioPtr bio = reader(pem);
    int added = 0;
    while (const X509Ptr ca = next_certificate(*bio)) {
        if (X509_STORE_add_cert(&store, ca.get()) != 1) {
            return tls_error("E3223", "A client CA cannot be used.", "OpenSSL refuses it.");
        }
        if (names != nullptr) {
            ossl::Ptr<X509_NAME, X509_NAME_free> name{
                X509_NAME_dup(X509_get_subject_name(ca.get()))};
            if (!name || sk_X509_NAME_push(names, name.get()) == 0) {
                return tls_error("E3223", "A client CA cannot be used.", "There is no memory.");
            }
            static_cast<void>(name.release());
        }
        ++added;
    }
    if (ERR_peek_error() != 0) {
        return tls_error("E3223", "The client CAs cannot be read.", "They are not valid PEM.");
    }
    return added;
}

void free_names(STACK_OF(X509_NAME) * names) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
}
using NameList = ossl::Ptr<STACK_OF(X509_NAME), free_names>;

Result<void> ask_for_certificates(TlsContext::Impl& impl, const TlsMaterial& material) {
    SSL_CTX* const ctx = impl.ctx.get();
    if (impl.options.client_certificate == ClientCertificate::none) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, nullptr);
        return {};
    }
    X509_STORE& store = *SSL_CTX_get_cert_store(ctx);
    // A browser asks its user about every certificate that could fit, so it is told whose fit.
    // Devices get no list: some stacks would then keep a registered foreign certificate to
    // themselves.
    NameList names{impl.options.http ? sk_X509_NAME_new_null() : nullptr};
    IOTSKY_TRY(roots, add_to_store(store, material.client_roots_pem, names.get()));
    if (roots == 0) {
        return tls_error("E3223", "There is no client CA.",
                         "Without one no client certificate could be verified.");
    }
    IOTSKY_TRY(intermediates, add_to_store(store, material.client_intermediates_pem, names.get()));
    static_cast<void>(intermediates);
    // Devices send their leaf only; the intermediate that signs is as good an anchor as its root,
    // which may have been taken off this machine.
    X509_STORE_set_flags(&store, X509_V_FLAG_PARTIAL_CHAIN);
    const bool required = impl.options.client_certificate == ClientCertificate::required;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       nullptr);
    SSL_CTX_set_verify_depth(ctx, kChainDepthMax);
    SSL_CTX_set_cert_verify_callback(ctx, verify_client, &impl);
    SSL_CTX_set0_CA_list(ctx, names.release());
    return {};
}

// Each name behind its length.
constexpr std::string_view kMqttProtocols{"\x0ex-amzn-mqtt-ca\x04mqtt"};
constexpr std::string_view kHttpProtocols{"\x08http/1.1"};

/// `ours`: one of the two above.
int choose_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length,
                const unsigned char* offered, unsigned offered_length, void* ours) {
    const auto& names = *static_cast<const std::string_view*>(ours);
    unsigned char* chosen = nullptr;
    const int result = SSL_select_next_proto(
        &chosen, out_length, reinterpret_cast<const unsigned char*>(names.data()),
        static_cast<unsigned>(names.size()), offered, offered_length);
    *out = chosen;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

int note_server_name(SSL* ssl, int* /*alert*/, void* /*arg*/) {
    if (const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
        facts_of(*ssl).server_name = name;
    }
    return SSL_TLSEXT_ERR_NOACK;
}

void note_alerts(const SSL* ssl, int where, int value) {
    constexpr int kFatal = 2;
    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value >> 8) == kFatal) {
        facts_of(*ssl).alert_received = value & 0xff;
    }
}

void note_messages(int sent, int /*version*/, int content_type, const void* message,
                   std::size_t length, SSL* ssl, void* /*arg*/) {
    if (content_type != SSL3_RT_HANDSHAKE || length == 0) {
        return;
    }
    TlsFacts& facts = facts_of(*ssl);
    if (sent != 0) {
        const auto type = *static_cast<const unsigned char*>(message);
        facts.certificate_sent |= type == SSL3_MT_CERTIFICATE;
    } else if (facts.finished) {
        facts.count_post_handshake();
    }
}

void set_modes(SSL_CTX* ctx, const TlsOptions& options) {
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_security_level(ctx, 2);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx, options.ticket_lifetime.count());
    SSL_CTX_set_max_cert_list(ctx, static_cast<long>(options.chain_bytes_max));
    const std::string_view& names = options.http ? kHttpProtocols : kMqttProtocols;
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, const_cast<std::string_view*>(&names));
    // The macro for this hides an old-style cast.
    SSL_CTX_callback_ctrl(ctx, SSL_CTRL_SET_TLSEXT_SERVERNAME_CB,
                          reinterpret_cast<void (*)()>(note_server_name));
    SSL_CTX_set_info_callback(ctx, note_alerts);
    SSL_CTX_set_msg_callback(ctx, note_messages);
}

bool set_tickets(TlsContext::Impl& impl) {
    // Without a context id OpenSSL refuses to resume sessions that hold a client certificate.
    static constexpr std::array<unsigned char, 6> kSessionContext{'i', 'o', 't', 's', 'k', 'y'};
    SSL_CTX* const ctx = impl.ctx.get();
    impl.ticket_cipher.reset(EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr));
    return impl.ticket_cipher && SSL_CTX_set_num_tickets(ctx, 1) == 1 &&
           SSL_CTX_set_session_id_context(ctx, kSessionContext.data(), kSessionContext.size()) ==
               1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, ticket_key_callback) == 1 &&
           SSL_CTX_set_ex_data(ctx, context_index(), &impl) == 1;
}

}  // namespace

int facts_index() noexcept {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

int context_index() noexcept {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
    return index;
}

TlsFacts& facts_of(const SSL& ssl) noexcept {
    return *static_cast<TlsFacts*>(SSL_get_ex_data(&ssl, facts_index()));
}

void TlsFacts::count_post_handshake() noexcept {
    constexpr std::uint32_t kPerMinuteMax = 64;
    if (now - minute_begin >= std::chrono::minutes{1}) {
        minute_begin = now;
        messages_in_minute = 0;
    }
    if (++messages_in_minute > kPerMinuteMax && stop_input != nullptr) {
        *stop_input = true;
    }
}

TlsContext::Impl::~Impl() {
    OPENSSL_cleanse(tickets.current.data(), tickets.current.size());
    if (tickets.previous) {
        OPENSSL_cleanse(tickets.previous->data(), tickets.previous->size());
    }
}

TlsContext::TlsContext(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
TlsContext::~TlsContext() = default;

Result<std::shared_ptr<const TlsContext>> TlsContext::make(
    const TlsOptions& options, const TlsMaterial& material,
    broker::CertificateDirectory* directory) {
    IOTSKY_ASSERT(directory != nullptr || options.client_certificate == ClientCertificate::none);
    ERR_clear_error();
    auto impl = std::make_unique<Impl>();
    impl->options = options;
    impl->tickets = material.tickets;
    impl->directory = directory;
    impl->ctx.reset(SSL_CTX_new(TLS_server_method()));
    if (!impl->ctx || SSL_CTX_set_cipher_list(impl->ctx.get(), kCiphers) != 1 ||
        SSL_CTX_set1_groups_list(impl->ctx.get(), kGroups) != 1 || !set_tickets(*impl)) {
        return tls_error("E3224", "TLS cannot be set up.", "OpenSSL refuses its settings.");
    }
    set_modes(impl->ctx.get(), options);
    IOTSKY_CHECK(use_chain(*impl, material.chain_pem));
    IOTSKY_CHECK(use_key(*impl, material.key_pem));
    IOTSKY_CHECK(ask_for_certificates(*impl, material));
    return std::make_shared<const TlsContext>(std::move(impl));
}

void TlsSlot::set(std::shared_ptr<const TlsContext> context) {
    const LockGuard lock(mutex_);
    context_.swap(context);
}

std::shared_ptr<const TlsContext> TlsSlot::get() const {
    const LockGuard lock(mutex_);
    return context_;
}

}  // namespace iotsky::net
