#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "certs/certificate.hpp"
#include "certs/crl.hpp"
#include "certs/passphrase.hpp"
#include "certs/private_key.hpp"
#include "certs/profile.hpp"
#include "certs/trust.hpp"

namespace iotsky::certs {

/// The certification authorities of an installation; all P-256, valid 1970-01-01 to 2049-12-31.
enum class CaRole : unsigned char {
    server,       ///< Root above the server certificates; in every device.
    server_next,  ///< Its successor, in every device from the first day, not used yet.
    device_root,  ///< Root above `device`; may be taken off the machine.
    device        ///< Online intermediate (pathlen 0) that signs device certificates.
};

/// Name of a CA's files and on the command line: "server-ca", "server-ca-next", "device-root",
/// "device-ca".
[[nodiscard]] std::string_view to_string(CaRole role) noexcept;
/// E5205 for any other word, with the known ones.
[[nodiscard]] Result<CaRole> parse_ca_role(std::string_view text);

struct AuthorityOptions {
    std::filesystem::path data_folder;  ///< DIR; keys lie in DIR/ca, client files in DIR.
    PassphraseSource passphrase;
    /// Of the server certificates. Addresses beyond kServerAddressesMax are left out. All empty:
    /// the certificates that are there are kept as they are (for tools that only need the CA).
    ServerNames names;
    /// Shown in the CAs' subjects, so that two installations can be told apart in a browser; 1-32
    /// of [A-Za-z0-9_.-].
    std::string site = "iotsky";
};

/// A device certificate with the key that was made for it; the only copy.
struct IssuedDevice {
    Certificate certificate;
    PrivateKey key;
};

/// What listeners serve.
struct ServerCertificates {
    ServerIdentity mqtt;  ///< For MQTT listeners, 1970-2049.
    ServerIdentity web;   ///< For https and wss, at most 397 days.

    [[nodiscard]] ServerCertificates clone() const { return {mqtt.clone(), web.clone()}; }
};

class Authority;

/// What open() found or made.
struct OpenedAuthority {
    std::shared_ptr<const Authority> authority;
    ServerCertificates servers;
    std::vector<Error> warnings;  ///< To log and show in the banner: W52xx.
    bool created = false;         ///< Whether the CA was made in this call.
};

/// Signs. Keys of roots are read from their files only while they sign; the intermediate's key
/// stays in memory. Immutable; thread: any. Issuing P-256 costs about 1.6 ms; a root's
/// signature 40 ms more when keys are encrypted, open() then 0.25 s.
class Authority {
  public:
    /// Loads DIR/ca, or makes everything when DIR/ca is missing or empty: it appears whole or not
    /// at all. Renews the web certificate when due and re-issues server certificates that do not
    /// cover `names` any more. Keys found plain while there is a passphrase are encrypted in place.
    /// Errors: E5203-E5212 naming the file and the remedy; nothing is overwritten on an error.
    [[nodiscard]] static Result<OpenedAuthority> open(const AuthorityOptions& options, WallTime now,
                                                      Random& random);

    ~Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    [[nodiscard]] const Certificate& certificate(CaRole role) const noexcept;
    /// False after delete_root_key, or when its file was taken away. Reads the folder.
    [[nodiscard]] bool has_key(CaRole role) const;
    /// What devices must trust: server CA and next server CA, PEM.
    [[nodiscard]] std::string server_trust_pem() const;
    [[nodiscard]] const DeviceTrust& device_trust() const noexcept;
    /// Whether `certificate` was signed by our device CA (then an unknown fingerprint is told apart
    /// from a stranger's).
    [[nodiscard]] bool issued(const Certificate& certificate) const;

    /// Signs with the intermediate, then reads the result back and compares every field and the
    /// chain before it leaves. EKU clientAuth only. Errors: E5215 request, E5224/E5225 key, E5214
    /// self-check.
    [[nodiscard]] Result<Certificate> sign_device(const DeviceRequest& request,
                                                  const PublicKey& key, WallTime now) const;
    /// Makes a key and signs: on the `work` thread. The key is stored nowhere.
    [[nodiscard]] Result<IssuedDevice> issue_device_with_key(const DeviceRequest& request,
                                                             KeyType type, WallTime now) const;

    /// All of `revoked`, signed by the intermediate; see make_crl.
    [[nodiscard]] Result<Crl> crl(std::span<const RevokedCertificate> revoked, WallTime now) const;

    /// Brings `servers` up to date, each under its own key, so that devices notice nothing: what
    /// does not cover `names` is re-issued, the web certificate also when a third of its life is
    /// left. New ones are saved over those in DIR/ca. Nothing to do costs no signature. Names all
    /// empty: nothing is done.
    /// @return warnings to tell: W1105 re-issued for other names; W5201 that failed, and the old
    ///         certificate goes on. Error: E5216 names that cannot stand in a certificate.
    [[nodiscard]] Result<std::vector<Error>> refresh(ServerCertificates& servers,
                                                     const ServerNames& names, WallTime now,
                                                     Random& random) const;

    /// Certificate and key of a root in one PEM, the key encrypted under `passphrase`, or plain if
    /// that is empty. Errors: E5213 not here, E5217 not a root (the intermediate works here).
    [[nodiscard]] Result<SecretString> export_root(CaRole role, std::string_view passphrase) const;
    /// Takes a root's key off this machine for good. The certificate stays. Errors as above.
    [[nodiscard]] Result<void> delete_root_key(CaRole role) const;

  private:
    struct Impl;
    explicit Authority(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

}  // namespace iotsky::certs
