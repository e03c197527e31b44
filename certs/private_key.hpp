#pragma once

#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "certs/public_key.hpp"

namespace iotsky::certs {

/// What we generate. P-256 unless an old firmware needs RSA.
enum class KeyType : unsigned char { p256, rsa2048 };

/// "p256" and "rsa2048", the words of the native API.
[[nodiscard]] std::string_view to_string(KeyType type) noexcept;
/// E5231 for any other word.
[[nodiscard]] Result<KeyType> parse_key_type(std::string_view text);

/// A private key; its memory is wiped at the end. Thread: any after it was made; signing with one
/// key from several threads is allowed.
class PrivateKey {
  public:
    /// Costs about 0.05 ms (p256) or 100 ms (rsa2048): on the `work` thread.
    [[nodiscard]] static Result<PrivateKey> generate(KeyType type);
    /// PKCS#8 (plain or encrypted), SEC1 or PKCS#1 PEM of P-256, P-384 or RSA 2048-4096; nothing
    /// but white space around it. Errors: E5206 wrong passphrase, E5207 encrypted but no passphrase
    /// given, E5231 anything else.
    [[nodiscard]] static Result<PrivateKey> from_pem(std::string_view text,
                                                     std::string_view passphrase = {});

    PrivateKey(PrivateKey&&) noexcept;
    PrivateKey& operator=(PrivateKey&&) noexcept;
    ~PrivateKey();

    /// PKCS#8, "BEGIN PRIVATE KEY".
    [[nodiscard]] SecretString pem() const;
    /// PKCS#8, DER.
    [[nodiscard]] SecretString der() const;
    /// PKCS#8 under PBES2: scrypt (N 2^14, r 8, p 1) and AES-256-CBC; `passphrase` not empty.
    [[nodiscard]] Result<SecretString> encrypted_pem(std::string_view passphrase) const;
    [[nodiscard]] const PublicKey& public_key() const noexcept;

    struct Impl;  ///< Holds the EVP_PKEY; defined in certs/private_key_ossl.hpp for our .cpp files.
    explicit PrivateKey(std::unique_ptr<Impl> impl) noexcept;
    [[nodiscard]] const Impl& impl() const noexcept { return *impl_; }

  private:
    std::unique_ptr<Impl> impl_;
};

}  // namespace iotsky::certs
