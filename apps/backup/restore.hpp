#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/backup/unpack.hpp"
#include "apps/scratch_folder.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"

namespace iotsky::apps::backup {

struct RestoreOrder {
    std::filesystem::path file;
    std::string_view passphrase;
    certs::PassphraseSource ca_passphrase;
    bool as_new_host = false;  ///< server certificates for this machine's addresses
};

/// A backup that was unpacked and checked, beside the data that it will replace.
struct Staged {
    ScratchFolder folder;
    Unpacked content;
    Checked checked;
};

/// Unpacks below `data_folder`, whose lock the caller holds, and checks everything. Nothing else
/// changes. Errors: those of unpack() and check_unpacked().
[[nodiscard]] Result<Staged> stage(const std::filesystem::path& data_folder,
                                   const RestoreOrder& order, WallTime now, Random& random);

/// What of a data folder this restore takes the place of: its names in it, without the side files
/// of databases. A configuration that lies there stays, unless the backup's lay there, too.
[[nodiscard]] std::vector<std::string> replaced_by_restore(const std::filesystem::path& data_folder,
                                                           const Staged& staged);

/// Where what was there and what came lie afterwards.
struct Restored {
    std::filesystem::path before;  ///< DIR/before-restore-TIME[-N]; empty: there was nothing
    /// The backup's configuration when it did not lie in the data folder: it is for people to
    /// compare and copy.
    std::filesystem::path config;
    std::string config_was_in;
};
/// Puts a staged backup in place of what is there: all of it, or nothing when a step cannot be done
/// (E5109, which says so). After a crash in the middle finish_restore() goes on. Errors: E5109,
/// E1161.
[[nodiscard]] Result<Restored> put_in_place(const std::filesystem::path& data_folder, Staged staged,
                                            WallTime now);

/// Goes on with a restore that a crash cut short, or takes it back when its files are gone (E5109,
/// once). @return whether there was one. Error: E5109.
[[nodiscard]] Result<bool> finish_restore(const std::filesystem::path& data_folder);

}  // namespace iotsky::apps::backup
