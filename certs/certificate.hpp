#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "certs/fingerprint.hpp"
#include "certs/public_key.hpp"

namespace iotsky::certs {

inline constexpr std::size_t kCertificateBytesMax = std::size_t{64} * 1024;

/// Name -> values in their order. Names of subject and issuer are those of the policy variables:
/// CommonName, Country, Organization, OrganizationalUnit, State, DistinguishedNameQualifier,
/// SerialNumber, Title, Surname, GivenName, Initials, Pseudonym, GenerationQualifier; others appear
/// as dotted OIDs. Names of alternative names: DNSName, IPAddress (text form), RFC822Name,
/// UniformResourceIdentifier, RegisteredId, DirectoryName ("CN=x,O=y").
using NameFields = std::multimap<std::string, std::string, std::less<>>;

/// What an X.509 certificate says, read once. A value: cheap to copy (shared, immutable).
/// Thread: any.
class Certificate {
  public:
    /// One certificate, PEM or DER, at most 64 KiB, nothing after it but white space.
    /// Error: E5230 with what is wrong.
    [[nodiscard]] static Result<Certificate> parse(std::string_view pem_or_der);

    [[nodiscard]] const std::vector<std::uint8_t>& der() const noexcept { return data_->der; }
    [[nodiscard]] const std::string& pem() const noexcept { return data_->pem; }
    [[nodiscard]] const Fingerprint& fingerprint() const noexcept { return data_->fingerprint; }
    /// Lower-case, two digits a byte, no leading zero byte; 32 digits for ours.
    [[nodiscard]] const std::string& serial_hex() const noexcept { return data_->serial_hex; }
    [[nodiscard]] const NameFields& subject() const noexcept { return data_->subject; }
    [[nodiscard]] const NameFields& issuer() const noexcept { return data_->issuer; }
    [[nodiscard]] const NameFields& alternative_names() const noexcept {
        return data_->alternative_names;
    }
    [[nodiscard]] const NameFields& issuer_alternative_names() const noexcept {
        return data_->issuer_alternative_names;
    }
    /// First CommonName of the subject; empty if there is none.
    [[nodiscard]] std::string common_name() const;
    /// Dates outside of what WallTime holds (1678-2262) are cut to its ends.
    [[nodiscard]] WallTime not_before() const noexcept { return data_->not_before; }
    [[nodiscard]] WallTime not_after() const noexcept { return data_->not_after; }
    [[nodiscard]] const PublicKey& public_key() const noexcept { return data_->public_key; }

    [[nodiscard]] bool is_ca() const noexcept { return data_->is_ca; }
    /// pathLenConstraint of a CA certificate.
    [[nodiscard]] std::optional<long> path_length() const noexcept { return data_->path_length; }
    /// Bits as in RFC 5280 4.2.1.3: digitalSignature, keyCertSign, ...; empty: no extension.
    [[nodiscard]] const std::vector<std::string>& key_usage() const noexcept {
        return data_->key_usage;
    }
    /// "clientAuth", "serverAuth", ...; empty: no extension.
    [[nodiscard]] const std::vector<std::string>& extended_key_usage() const noexcept {
        return data_->extended_key_usage;
    }
    /// Hexadecimal; empty: no extension.
    [[nodiscard]] const std::string& subject_key_id() const noexcept {
        return data_->subject_key_id;
    }
    [[nodiscard]] const std::string& authority_key_id() const noexcept {
        return data_->authority_key_id;
    }
    /// Every extension in its order, short name or OID, "critical," in front of critical ones.
    [[nodiscard]] const std::vector<std::string>& extensions() const noexcept {
        return data_->extensions;
    }

    friend bool operator==(const Certificate& a, const Certificate& b) noexcept {
        return a.fingerprint() == b.fingerprint();
    }

    struct Data {
        std::vector<std::uint8_t> der;
        std::string pem;
        Fingerprint fingerprint;
        std::string serial_hex;
        NameFields subject;
        NameFields issuer;
        NameFields alternative_names;
        NameFields issuer_alternative_names;
        WallTime not_before{};
        WallTime not_after{};
        PublicKey public_key;
        bool is_ca = false;
        std::optional<long> path_length;
        std::vector<std::string> key_usage;
        std::vector<std::string> extended_key_usage;
        std::string subject_key_id;
        std::string authority_key_id;
        std::vector<std::string> extensions;
        /// Of CA certificates: OpenSSL's own object. They are few, and each signature needs them;
        /// decoding a public key anew costs about 0.2 ms. Others keep none, there may be thousands.
        std::shared_ptr<void> ca_x509;
    };
    explicit Certificate(std::shared_ptr<const Data> data) noexcept : data_(std::move(data)) {}
    [[nodiscard]] const Data& data() const noexcept { return *data_; }

  private:
    std::shared_ptr<const Data> data_;
};

}  // namespace iotsky::certs
