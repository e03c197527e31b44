#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "certs/certificate.hpp"
#include "certs/files.hpp"
#include "certs/private_key.hpp"

namespace iotsky::certs {

/// The folder of keys: NAME.key (0600; encrypted when there is a passphrase) beside NAME.crt
/// (0644). Thread: any; holds nothing but the folder's name and the passphrase.
class KeyStore {
  public:
    KeyStore(std::filesystem::path folder, std::optional<SecretString> passphrase);

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    [[nodiscard]] bool encrypts() const noexcept { return passphrase_.has_value(); }

    [[nodiscard]] bool has_key(std::string_view name) const;

    struct LoadedKey {
        PrivateKey key;
        bool encrypted_on_disk;
    };
    /// Errors: those of read_file and PrivateKey::from_pem, each naming the file.
    [[nodiscard]] Result<LoadedKey> load_key(std::string_view name) const;
    [[nodiscard]] Result<Certificate> load_certificate(std::string_view name) const;

    [[nodiscard]] Result<void> save_key(std::string_view name, const PrivateKey& key,
                                        IfExists if_exists = IfExists::refuse) const;
    [[nodiscard]] Result<void> save_certificate(std::string_view name, const Certificate& cert,
                                                IfExists if_exists = IfExists::refuse) const;
    /// Overwrites the file with zeros, then removes it. Error: E5205 when it is not there, E5211.
    [[nodiscard]] Result<void> delete_key(std::string_view name) const;

    [[nodiscard]] std::filesystem::path key_path(std::string_view name) const;
    [[nodiscard]] std::filesystem::path certificate_path(std::string_view name) const;

  private:
    std::filesystem::path folder_;
    std::optional<SecretString> passphrase_;
};

}  // namespace iotsky::certs
