#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"

/// What a backup says about itself: a header that everybody can read, and the list of its files,
/// which is inside.
namespace iotsky::apps::backup {

enum class Kind : std::uint8_t {
    made,           ///< `iotsky backup create`
    automatic,      ///< `[backup] every`
    before_upgrade  ///< before a database was brought to a new format
};
[[nodiscard]] std::string_view to_string(Kind kind) noexcept;

struct Description {
    Kind kind = Kind::made;
    std::string program;  ///< version that made it
    std::string host;
    WallTime made_at{};
    std::size_t registry_format = 0;
    std::size_t messages_format = 0;  ///< 0: no messages in it (durability.mode = "memory")
    bool encrypted = false;
};

[[nodiscard]] std::string format(const Description& description);
/// Errors: E5105 naming `file`: not ours, or of a later format of backups.
[[nodiscard]] Result<Description> parse_description(std::string_view text,
                                                    const std::filesystem::path& file);

struct FileEntry {
    std::string path;  ///< in the backup
    std::uint64_t bytes = 0;
    std::string sha256;  ///< hexadecimal
    friend bool operator==(const FileEntry&, const FileEntry&) = default;
};

/// The last file of a backup.
struct Manifest {
    std::vector<FileEntry> files;
    std::string config_file;      ///< main file below "config/"; empty: the defaults were used
    std::string config_folder;    ///< where it lay
    bool config_in_data = false;  ///< that was the data folder
};
inline constexpr std::string_view kManifestPath = "manifest.json";
inline constexpr std::string_view kConfigFolder = "config";
[[nodiscard]] std::string format(const Manifest& manifest);
/// Error: E5107 naming `file`.
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text,
                                              const std::filesystem::path& file);

/// E5107: the backup's content does not fit together.
[[nodiscard]] Error not_whole(const std::filesystem::path& file, std::string why);

/// Whether a backup may have a file of this path: one of the names that create_backup() gives.
/// Nothing else is written to disk. A path of the configuration ("config/...") is printable UTF-8,
/// leads nowhere else, and has none of the names that the broker itself uses in a data folder,
/// where the configuration may be put. Pure.
[[nodiscard]] bool is_known_path(std::string_view path);

}  // namespace iotsky::apps::backup
