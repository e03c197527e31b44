#pragma once

#include <filesystem>
#include <optional>

#include "base/error.hpp"
#include "base/secret.hpp"

namespace iotsky::certs {

/// Where the passphrase of the CA's keys comes from.
struct PassphraseSource {
    /// Option `passphrase_file`; empty: none. Must not be readable by group or others.
    std::filesystem::path file;
    /// $CREDENTIALS_DIRECTORY of systemd; the file `iotsky-ca-passphrase` in it is used when `file`
    /// is empty. Empty: none.
    std::filesystem::path credentials_directory;
};

/// `file` and the environment's CREDENTIALS_DIRECTORY.
[[nodiscard]] PassphraseSource passphrase_source(std::filesystem::path file);

/// The first line of the source; nullopt when there is no source. 1 to 1024 bytes.
/// Errors: E5203 readable by others, E5208 named but missing, empty, too long or unreadable.
[[nodiscard]] Result<std::optional<SecretString>> read_passphrase(const PassphraseSource& source);

}  // namespace iotsky::certs
