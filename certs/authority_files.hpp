#pragma once

#include <array>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "certs/authority.hpp"
#include "certs/key_store.hpp"
#include "certs/templates.hpp"

namespace iotsky::certs {

inline constexpr std::array kCaRoles{CaRole::server, CaRole::server_next, CaRole::device_root,
                                     CaRole::device};

/// A key with its certificate, while both are in memory.
struct Identity {
    Certificate certificate;
    PrivateKey key;
};

/// What the folder holds, checked: keys fit their certificates, chains hold. Keys of roots were
/// read for the check and dropped.
struct AuthorityFiles {
    std::array<Certificate, 4> authorities;  ///< In the order of kCaRoles.
    PrivateKey device_key;
    Identity mqtt;
    Identity web;
    std::vector<std::string> plain_keys;  ///< Names of keys that lie there unencrypted.
};

/// Makes all CAs and server certificates in `store`'s folder, which is empty.
[[nodiscard]] Result<void> make_authority_files(const KeyStore& store, const ServerNames& names,
                                                const std::string& site, WallTime now,
                                                Random& random);
/// Errors: E5203-E5208, E5210 naming the file.
[[nodiscard]] Result<AuthorityFiles> load_authority_files(const KeyStore& store);

/// Signs with the server CA's key and checks the result, at 1970 too for MQTT.
[[nodiscard]] Result<Certificate> sign_server(ServerUse use, const ServerNames& names,
                                              const PublicKey& key, const Certificate& issuer,
                                              const PrivateKey& issuer_key, WallTime now,
                                              Random& random);

}  // namespace iotsky::certs
