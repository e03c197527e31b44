#include "certs/authority_files.hpp"

#include <utility>

#include "certs/lint.hpp"
#include "certs/sign.hpp"

namespace iotsky::certs {
namespace {

/// A clock that has just started: what a board without a battery believes.
constexpr std::chrono::seconds kBootTime{30};

Error does_not_fit(const KeyStore& store, std::string_view name, std::string why) {
    return make_error(Errc::corrupt, "E5210",
                      store.certificate_path(name).string() + " does not fit its CA or key.",
                      std::move(why), "Restore the folder from a backup. Nothing was changed.");
}

Result<Identity> make_ca(CaRole role, const std::string& site, const Identity* above,
                         Random& random) {
    IOTSKY_TRY(key, PrivateKey::generate(KeyType::p256));
    const CertificateTemplate asked = ca_template(role, site, key.public_key(), random);
    const Certificate* issuer = above == nullptr ? nullptr : &above->certificate;
    IOTSKY_TRY(certificate, sign(asked, issuer, above == nullptr ? key : above->key));
    IOTSKY_CHECK(lint(certificate, asked, issuer));
    return Identity{std::move(certificate), std::move(key)};
}

Result<Identity> make_server(ServerUse use, const ServerNames& names, const Identity& above,
                             WallTime now, Random& random) {
    IOTSKY_TRY(key, PrivateKey::generate(KeyType::p256));
    IOTSKY_TRY(certificate, sign_server(use, names, key.public_key(), above.certificate, above.key,
                                        now, random));
    return Identity{std::move(certificate), std::move(key)};
}

Result<void> save(const KeyStore& store, std::string_view name, const Identity& identity) {
    IOTSKY_CHECK(store.save_key(name, identity.key));
    return store.save_certificate(name, identity.certificate);
}

/// Reads a key, compares it with its certificate and notes whether it lies there plain.
Result<PrivateKey> load_matching_key(const KeyStore& store, std::string_view name,
                                     const Certificate& certificate,
                                     std::vector<std::string>& plain_keys) {
    IOTSKY_TRY(loaded, store.load_key(name));
    if (loaded.key.public_key() != certificate.public_key()) {
        return does_not_fit(store, name,
                            store.key_path(name).string() + " holds another certificate's key.");
    }
    if (!loaded.encrypted_on_disk) {
        plain_keys.emplace_back(name);
    }
    return std::move(loaded.key);
}

Result<void> check_issuer(const KeyStore& store, std::string_view name,
                          const Certificate& certificate, const Certificate& issuer) {
    if (!is_signed_by(certificate, issuer)) {
        return does_not_fit(store, name, "It was signed by another CA.");
    }
    return {};
}

Result<Identity> load_server(const KeyStore& store, ServerUse use, const Certificate& issuer,
                             std::vector<std::string>& plain_keys) {
    const std::string_view name = to_string(use);
    IOTSKY_TRY(certificate, store.load_certificate(name));
    IOTSKY_CHECK(check_issuer(store, name, certificate, issuer));
    IOTSKY_TRY(key, load_matching_key(store, name, certificate, plain_keys));
    return Identity{std::move(certificate), std::move(key)};
}

/// A CA's certificate; its key is only tried, if it is on this machine.
Result<Certificate> load_root(const KeyStore& store, CaRole role,
                              std::vector<std::string>& plain_keys) {
    const std::string_view name = to_string(role);
    IOTSKY_TRY(certificate, store.load_certificate(name));
    if (!certificate.is_ca()) {
        return does_not_fit(store, name, "It is not a CA certificate.");
    }
    IOTSKY_CHECK(check_issuer(store, name, certificate, certificate));
    if (store.has_key(name)) {
        IOTSKY_CHECK(load_matching_key(store, name, certificate, plain_keys));
    }
    return certificate;
}

}  // namespace

Result<Certificate> sign_server(ServerUse use, const ServerNames& names, const PublicKey& key,
                                const Certificate& issuer, const PrivateKey& issuer_key,
                                WallTime now, Random& random) {
    IOTSKY_TRY(asked, server_template(use, names, key, now, random));
    IOTSKY_TRY(certificate, sign(asked, &issuer, issuer_key));
    IOTSKY_CHECK(lint(certificate, asked, &issuer));
    IOTSKY_CHECK(verify_chain(certificate, {}, issuer, ChainUse::tls_server, now));
    if (use == ServerUse::mqtt) {
        IOTSKY_CHECK(verify_chain(certificate, {}, issuer, ChainUse::tls_server,
                                  start_of_1970() + kBootTime));
    }
    return certificate;
}

Result<void> make_authority_files(const KeyStore& store, const ServerNames& names,
                                  const std::string& site, WallTime now, Random& random) {
    IOTSKY_CHECK(check_site(site));
    IOTSKY_TRY(server, make_ca(CaRole::server, site, nullptr, random));
    IOTSKY_TRY(next, make_ca(CaRole::server_next, site, nullptr, random));
    IOTSKY_TRY(root, make_ca(CaRole::device_root, site, nullptr, random));
    IOTSKY_TRY(device, make_ca(CaRole::device, site, &root, random));
    IOTSKY_TRY(mqtt, make_server(ServerUse::mqtt, names, server, now, random));
    IOTSKY_TRY(web, make_server(ServerUse::web, names, server, now, random));
    const std::pair<std::string_view, const Identity&> all[] = {
        {to_string(CaRole::server), server},    {to_string(CaRole::server_next), next},
        {to_string(CaRole::device_root), root}, {to_string(CaRole::device), device},
        {to_string(ServerUse::mqtt), mqtt},     {to_string(ServerUse::web), web}};
    for (const auto& [name, identity] : all) {
        IOTSKY_CHECK(save(store, name, identity));
    }
    return {};
}

Result<AuthorityFiles> load_authority_files(const KeyStore& store) {
    std::vector<std::string> plain;
    IOTSKY_TRY(server, load_root(store, CaRole::server, plain));
    IOTSKY_TRY(next, load_root(store, CaRole::server_next, plain));
    IOTSKY_TRY(root, load_root(store, CaRole::device_root, plain));
    const std::string_view device_name = to_string(CaRole::device);
    IOTSKY_TRY(device, store.load_certificate(device_name));
    IOTSKY_CHECK(check_issuer(store, device_name, device, root));
    IOTSKY_TRY(device_key, load_matching_key(store, device_name, device, plain));
    IOTSKY_TRY(mqtt, load_server(store, ServerUse::mqtt, server, plain));
    IOTSKY_TRY(web, load_server(store, ServerUse::web, server, plain));
    return AuthorityFiles{{server, next, root, device},
                          std::move(device_key),
                          std::move(mqtt),
                          std::move(web),
                          std::move(plain)};
}

}  // namespace iotsky::certs
