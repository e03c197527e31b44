#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/secret.hpp"
#include "certs/certificate.hpp"

namespace iotsky::certs {

/// Names a server certificate has to carry.
struct ServerNames {
    std::vector<std::string> dns;        ///< "iotsky.local"; the first becomes the common name.
    std::vector<std::string> addresses;  ///< IPv4 and IPv6 in text form, without a zone.
};

/// Longest list of addresses in one certificate; small devices keep the whole certificate in RAM.
inline constexpr std::size_t kServerAddressesMax = 32;

/// A server certificate with its key: what a TLS listener is made of. Move-only.
/// Thread: confined to its holder; reading is any-thread.
struct ServerIdentity {
    Certificate certificate;
    SecretString key_pem;  ///< PKCS#8, not encrypted.

    /// What the listener sends: the leaf alone, which stands directly under the server CA; a root
    /// in the chain would only cost the device RAM.
    [[nodiscard]] const std::string& chain_pem() const noexcept { return certificate.pem(); }
    /// Whether every one of the first kServerAddressesMax `addresses` is in it, each as iPAddress
    /// and as dNSName.
    [[nodiscard]] bool covers(std::span<const std::string> addresses) const;
    /// The same for names.
    [[nodiscard]] bool covers(const ServerNames& names) const;
    /// Whether a third of its life or less is left.
    [[nodiscard]] bool due(WallTime now) const noexcept;

    [[nodiscard]] ServerIdentity clone() const { return {certificate, key_pem.clone()}; }
};

/// What a TLS listener verifies device certificates against.
struct DeviceTrust {
    std::string roots_pem;          ///< Trust anchors (device root).
    std::string intermediates_pem;  ///< Offered for building chains: devices send their leaf only.
};

}  // namespace iotsky::certs
