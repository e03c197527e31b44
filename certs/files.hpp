#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

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
                                             std::size_t bytes_max = std::size_t{64} * 1024);

/// Overwrites a file with zeros, then removes it; both reach the disk. Errors: E5205, E5211.
[[nodiscard]] Result<void> erase_file(const std::filesystem::path& path);

/// Makes a folder of mode 0700. Errors: E5209 exists, E5211.
[[nodiscard]] Result<void> make_private_folder(const std::filesystem::path& path);
/// E5203 unless `path` is a directory that group and others may not enter.
[[nodiscard]] Result<void> check_private_folder(const std::filesystem::path& path);
/// Makes the names in a folder durable.
[[nodiscard]] Result<void> sync_folder(const std::filesystem::path& path);
/// rename(2) and then the folder's fsync; an empty folder at `to` is replaced.
[[nodiscard]] Result<void> rename_durably(const std::filesystem::path& from,
                                          const std::filesystem::path& to);

/// E5204: the file at `path` is damaged, with `why`.
[[nodiscard]] Error damaged_file(const std::filesystem::path& path, std::string why);

}  // namespace iotsky::certs
