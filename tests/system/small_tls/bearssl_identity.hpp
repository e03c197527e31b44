#pragma once

#include <bearssl.h>

#include <string>
#include <vector>

namespace small_tls {

using Bytes = std::vector<unsigned char>;

/// The DER of each PEM block of a file.
[[nodiscard]] std::vector<Bytes> read_pem_file(const std::string& path);

/// A CA certificate as BearSSL wants its trust anchors: name and key. Points into itself.
class TrustAnchor {
  public:
    /// Ends the process with 2 if `der` is no certificate with an EC key.
    explicit TrustAnchor(const Bytes& der);
    TrustAnchor(const TrustAnchor&) = delete;
    TrustAnchor& operator=(const TrustAnchor&) = delete;
    [[nodiscard]] const br_x509_trust_anchor& get() const noexcept { return anchor_; }

  private:
    Bytes name_;
    Bytes point_;
    br_x509_trust_anchor anchor_{};
};

/// A device's certificate and key. Points into itself.
class DeviceIdentity {
  public:
    DeviceIdentity(const std::string& certificate_file, const std::string& key_file);
    DeviceIdentity(const DeviceIdentity&) = delete;
    DeviceIdentity& operator=(const DeviceIdentity&) = delete;
    /// Makes the client send it when the server asks.
    void use(br_ssl_client_context& client) const;

  private:
    std::vector<Bytes> blocks_;
    Bytes key_der_;
    br_x509_certificate certificate_{};
    br_skey_decoder_context key_{};
};

}  // namespace small_tls
