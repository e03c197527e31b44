#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/backup/description.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "certs/authority.hpp"

namespace iotsky::apps::backup {

/// Reads what a backup says about itself. Errors: E5105, E5109.
[[nodiscard]] Result<Description> describe(const std::filesystem::path& file);

/// A backup in a folder, every byte of it authenticated and compared with its list.
struct Unpacked {
    Description description;
    Manifest manifest;
};
/// Writes the files of `file` below `into`, a new folder. Errors: E5102 from a newer iotsky, E5104
/// wrong passphrase or damaged, E5105, E5107, E5108 encrypted and no passphrase or a passphrase
/// for what is not encrypted, E5103, E5109.
[[nodiscard]] Result<Unpacked> unpack(const std::filesystem::path& file,
                                      std::string_view passphrase,
                                      const std::filesystem::path& into);

/// What a check of an unpacked backup found.
struct Checked {
    /// The keys are encrypted with the CA's own passphrase, which was not given: they were not
    /// compared with their certificates.
    bool keys_not_checked = false;
    std::string ca_words;
};
/// Opens both databases and reads all of them, and compares each key of the CA with its
/// certificate. `names`: the server certificates are issued anew for these; nullopt: left as they
/// are. `file` is for errors. Errors: E5107, those of certs::Authority::open.
[[nodiscard]] Result<Checked> check_unpacked(const std::filesystem::path& folder,
                                             const std::filesystem::path& file,
                                             const certs::PassphraseSource& ca_passphrase,
                                             const std::optional<certs::ServerNames>& names,
                                             WallTime now, Random& random);

}  // namespace iotsky::apps::backup
