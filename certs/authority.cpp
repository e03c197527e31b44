#include "certs/authority.hpp"

#include <algorithm>
#include <utility>

#include "certs/authority_open.hpp"
#include "certs/lint.hpp"
#include "certs/sign.hpp"
#include "certs/templates.hpp"

namespace iotsky::certs {
namespace {

constexpr std::size_t index_of(CaRole role) noexcept {
    return static_cast<std::size_t>(role);
}

bool is_root(CaRole role) noexcept {
    return role != CaRole::device;
}

Error not_a_root() {
    return make_error(Errc::invalid_argument, "E5217", "device-ca is not a root.",
                      "It signs device certificates on this machine and is replaced, not exported.",
                      "Use device-root, server-ca or server-ca-next.");
}

Error key_not_here(CaRole role) {
    const std::string name{to_string(role)};
    return make_error(Errc::not_found, "E5213", "The key of " + name + " is not on this machine.",
                      "It was taken off with \"iotsky ca export " + name + " --delete\".",
                      "Put the exported key back as ca/" + name +
                          ".key (mode 0600), repeat, and "
                          "take it off again.");
}

ServerIdentity to_server_identity(const Identity& identity) {
    return {identity.certificate, identity.key.pem()};
}

/// Addresses and names of `names` that are not in `certificate`, "10.0.0.9, iotsky.lan".
std::string missing_names(const ServerIdentity& identity, const ServerNames& names) {
    std::string list;
    const auto add = [&](const std::string& name, bool covered) {
        if (!covered) {
            list += (list.empty() ? "" : ", ") + name;
        }
    };
    for (const std::string& dns : names.dns) {
        add(dns, identity.covers(ServerNames{{dns}, {}}));
    }
    const std::span addresses{names.addresses};
    for (const std::string& address :
         addresses.first(std::min(addresses.size(), kServerAddressesMax))) {
        add(address, identity.covers(std::span{&address, 1}));
    }
    return list;
}

Error new_address_warning(const std::string& missing) {
    return make_error(Errc::conflict, "W1105",
                      missing +
                          " was not in the server certificate; it was reissued under the "
                          "same CA and key.",
                      "The names or addresses of this machine changed.",
                      "Devices that still use an old address must use a name or the new one.");
}

Error renewal_warning(const ServerIdentity& identity, std::string_view which, const Error& cause) {
    return make_error(Errc::unavailable, "W5201",
                      "The " + std::string{which} + " certificate (until " +
                          format_utc(identity.certificate.not_after()) +
                          ") should be renewed, but that failed.",
                      cause.message + " " + cause.why, cause.how);
}

}  // namespace

std::string_view to_string(CaRole role) noexcept {
    constexpr std::array<std::string_view, 4> kNames{"server-ca", "server-ca-next", "device-root",
                                                     "device-ca"};
    return kNames[index_of(role)];
}

Result<CaRole> parse_ca_role(std::string_view text) {
    for (const CaRole role : kCaRoles) {
        if (text == to_string(role)) {
            return role;
        }
    }
    return make_error(Errc::not_found, "E5205", "There is no CA of that name.",
                      "Known are server-ca, server-ca-next, device-root and device-ca.",
                      "List them: iotsky ca show");
}

struct Authority::Impl {
    KeyStore store;
    std::array<Certificate, 4> authorities;
    PrivateKey device_key;
    DeviceTrust trust;

    [[nodiscard]] const Certificate& of(CaRole role) const { return authorities[index_of(role)]; }

    /// A root's key, for one signature.
    [[nodiscard]] Result<PrivateKey> root_key(CaRole role) const {
        if (!is_root(role)) {
            return not_a_root();
        }
        if (!store.has_key(to_string(role))) {
            return key_not_here(role);
        }
        IOTSKY_TRY(loaded, store.load_key(to_string(role)));
        return std::move(loaded.key);
    }

    [[nodiscard]] Result<ServerIdentity> reissue(ServerUse use, const ServerIdentity& current,
                                                 const ServerNames& names, WallTime now,
                                                 Random& random) const {
        IOTSKY_TRY(ca_key, root_key(CaRole::server));
        IOTSKY_TRY(certificate, sign_server(use, names, current.certificate.public_key(),
                                            of(CaRole::server), ca_key, now, random));
        IOTSKY_CHECK(store.save_certificate(to_string(use), certificate, IfExists::replace));
        return ServerIdentity{std::move(certificate), current.key_pem.clone()};
    }
};

Result<OpenedAuthority> Authority::open(const AuthorityOptions& options, WallTime now,
                                        Random& random) {
    IOTSKY_TRY(prepared, prepare_authority(options, now, random));
    AuthorityFiles& files = prepared.files;
    DeviceTrust trust{files.authorities[index_of(CaRole::device_root)].pem(),
                      files.authorities[index_of(CaRole::device)].pem()};
    OpenedAuthority opened{nullptr,
                           {to_server_identity(files.mqtt), to_server_identity(files.web)},
                           std::move(prepared.warnings),
                           prepared.created};
    opened.authority.reset(new Authority{
        std::make_unique<Impl>(Impl{std::move(prepared.store), std::move(files.authorities),
                                    std::move(files.device_key), std::move(trust)})});
    IOTSKY_TRY(told, opened.authority->refresh(opened.servers, options.names, now, random));
    opened.warnings.insert(opened.warnings.end(), told.begin(), told.end());
    return opened;
}

Authority::Authority(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Authority::~Authority() = default;

const Certificate& Authority::certificate(CaRole role) const noexcept {
    return impl_->of(role);
}

bool Authority::has_key(CaRole role) const {
    return impl_->store.has_key(to_string(role));
}

std::string Authority::server_trust_pem() const {
    return certificate(CaRole::server).pem() + certificate(CaRole::server_next).pem();
}

const DeviceTrust& Authority::device_trust() const noexcept {
    return impl_->trust;
}

bool Authority::issued(const Certificate& certificate) const {
    return is_signed_by(certificate, impl_->of(CaRole::device));
}

Result<Certificate> Authority::sign_device(const DeviceRequest& request, const PublicKey& key,
                                           WallTime now) const {
    const Certificate& issuer = impl_->of(CaRole::device);
    IOTSKY_TRY(asked, device_template(request, key, now));
    IOTSKY_TRY(made, sign(asked, &issuer, impl_->device_key));
    IOTSKY_CHECK(lint(made, asked, &issuer));
    IOTSKY_CHECK(verify_chain(made, std::span{&issuer, 1}, impl_->of(CaRole::device_root),
                              ChainUse::tls_client, now));
    return made;
}

Result<IssuedDevice> Authority::issue_device_with_key(const DeviceRequest& request, KeyType type,
                                                      WallTime now) const {
    IOTSKY_TRY(key, PrivateKey::generate(type));
    IOTSKY_TRY(certificate, sign_device(request, key.public_key(), now));
    return IssuedDevice{std::move(certificate), std::move(key)};
}

Result<Crl> Authority::crl(std::span<const RevokedCertificate> revoked, WallTime now) const {
    return make_crl(revoked, impl_->of(CaRole::device), impl_->device_key, now);
}

// Without the server CA's key, or with a disk that is full, the old certificates still work: a
// warning, not a refusal to start.
Result<std::vector<Error>> Authority::refresh(ServerCertificates& servers, const ServerNames& names,
                                              WallTime now, Random& random) const {
    std::vector<Error> warnings;
    if (names.dns.empty() && names.addresses.empty()) {
        return warnings;
    }
    if (const std::string missing = missing_names(servers.mqtt, names); !missing.empty()) {
        // Wrong names are a wrong configuration, not a renewal that failed.
        IOTSKY_CHECK(server_template(ServerUse::mqtt, names, servers.mqtt.certificate.public_key(),
                                     now, random));
        auto fresh = impl_->reissue(ServerUse::mqtt, servers.mqtt, names, now, random);
        warnings.push_back(fresh ? new_address_warning(missing)
                                 : renewal_warning(servers.mqtt, "MQTT server", fresh.error()));
        if (fresh) {
            servers.mqtt = std::move(*fresh);
        }
    }
    if (servers.web.due(now) || !servers.web.covers(names)) {
        auto fresh = impl_->reissue(ServerUse::web, servers.web, names, now, random);
        if (fresh) {
            servers.web = std::move(*fresh);
        } else {
            warnings.push_back(renewal_warning(servers.web, "web", fresh.error()));
        }
    }
    return warnings;
}

Result<SecretString> Authority::export_root(CaRole role, std::string_view passphrase) const {
    IOTSKY_TRY(key, impl_->root_key(role));
    auto pem = passphrase.empty() ? Result<SecretString>{key.pem()} : key.encrypted_pem(passphrase);
    if (!pem) {
        return pem;
    }
    const std::string& certificate = impl_->of(role).pem();
    SecretString both = SecretString::of_length(certificate.size() + pem->size());
    certificate.copy(both.data(), certificate.size());
    pem->view().copy(both.data() + certificate.size(), pem->size());
    return both;
}

Result<void> Authority::delete_root_key(CaRole role) const {
    if (!is_root(role)) {
        return not_a_root();
    }
    return has_key(role) ? impl_->store.delete_key(to_string(role)) : key_not_here(role);
}

}  // namespace iotsky::certs
