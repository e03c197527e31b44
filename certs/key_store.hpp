#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "certs/certificate.hpp"
#include "certs/private_key.hpp"

namespace iotsky::certs {

enum class FileKind : unsigned char {
    secret,      ///< 0600, refused when group or others may read or write it.
    public_text  ///< 0644, refused when group or others may write it.
};

enum class IfExists : unsigned char { refuse, replace };

/// Writes a file so that it is there whole or not at all, also after a power cut: temporary file in
/// the same folder, fsync, rename, fsync of the folder. Errors: E5209 exists, E5211 disk.
[[nodiscard]] Result<void> write_file(const std::filesystem::path& path, std::string_view content,
                                      FileKind kind, IfExists if_exists = IfExists::refuse);

/// Reads a regular file of 1 to `bytes_max` bytes. Errors: E5203 mode or owner, E5204 empty or too
/// long, E5205 missing, E5211 disk; each names the file.
[[nodiscard]] Result<SecretString> read_file(const std::filesystem::path& path, FileKind kind,
                                             std::size_t bytes_max = 64 * 1024);

/// The folder of keys: NAME.key (0600; encrypted when there is a passphrase) beside NAME.crt
/// (0644). Thread: any; holds nothing but the folder's name and the passphrase.
class KeyStore {
  public:
    KeyStore(std::filesystem::path folder, std::optional<SecretString> passphrase);

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }
    [[nodiscard]] bool encrypts() const noexcept { return passphrase_.has_value(); }
    /// E5203 unless the folder is a directory of mode 0700 (or stricter).
    [[nodiscard]] Result<void> check_folder() const;

    [[nodiscard]] bool has_key(std::string_view name) const;
    [[nodiscard]] bool has_certificate(std::string_view name) const;

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
