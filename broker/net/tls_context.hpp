#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/thread.hpp"
#include "broker/identity.hpp"
#include "broker/net/options.hpp"
#include "broker/net/ticket_keys.hpp"

namespace iotsky::net {

/// What a TLS listener is made of; the texts are read during TlsContext::make() only.
struct TlsMaterial {
    std::string_view chain_pem;                 ///< the server's leaf first; at most 32 KiB of DER
    std::string_view key_pem;                   ///< of the leaf, not encrypted
    std::string_view client_roots_pem;          ///< CAs whose client certificates verify
    std::string_view client_intermediates_pem;  ///< used for building chains; may be empty
    TicketKeySet tickets;
};

/// One listener's TLS settings and certificates, shared by all threads. Immutable: a new leaf or
/// new ticket keys make a new context, and connections keep the one they began with.
class TlsContext {
  public:
    /// `directory` judges client certificates (`decisions.md` 11); it must outlive every
    /// connection, and may be null only with ClientCertificate::none. Errors: E3221 certificate,
    /// E3222 key, E3223 client CAs, E3224 OpenSSL. Thread: any.
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> make(
        const TlsOptions& options, const TlsMaterial& material,
        broker::CertificateDirectory* directory);

    struct Impl;  ///< OpenSSL's part, tls_context_impl.hpp
    explicit TlsContext(std::unique_ptr<Impl> impl) noexcept;
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

/// Where a TLS listener finds its context. Synchronised: one short leaf lock per accepted
/// connection; set() is for the control thread.
class TlsSlot {
  public:
    explicit TlsSlot(std::shared_ptr<const TlsContext> context) : context_(std::move(context)) {}
    /// For connections accepted from now on; nobody is dropped.
    void set(std::shared_ptr<const TlsContext> context);
    [[nodiscard]] std::shared_ptr<const TlsContext> get() const;

  private:
    mutable Mutex mutex_;
    std::shared_ptr<const TlsContext> context_ IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::net
