#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <vector>

#include "bench/load/options.hpp"

namespace iotsky::load {

struct FreeTls {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, FreeTls>;
using SslPtr = std::unique_ptr<SSL, FreeTls>;
using SessionPtr = std::unique_ptr<SSL_SESSION, FreeTls>;

/// TLS of all clients: one context per identity, taken in turn; none for plain TCP.
class Tls {
  public:
    /// Throws std::runtime_error that names the file that OpenSSL did not take.
    explicit Tls(const Options& options);

    /// For client number `index`; null for plain TCP.
    [[nodiscard]] SSL_CTX* context(std::size_t index) const noexcept {
        return contexts_.empty() ? nullptr : contexts_[index % contexts_.size()].get();
    }

  private:
    std::vector<ContextPtr> contexts_;
};

}  // namespace iotsky::load
