#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string_view>

#include "base/error.hpp"

namespace iotsky::apps {

/// Writes a file that is there whole or not at all, also after a power cut: a temporary file in the
/// same folder, fsync, rename, fsync of the folder. Replaces what was there. Error: E1161 naming
/// the file.
[[nodiscard]] Result<void> write_atomically(const std::filesystem::path& file,
                                            std::string_view content, mode_t mode);

/// Writes a file that must not exist yet (a key is never overwritten). Errors: E1164 exists, E1161
/// disk.
[[nodiscard]] Result<void> write_new(const std::filesystem::path& file, std::string_view content,
                                     mode_t mode);

/// Copies `from` to `to`, which is there whole or not at all and replaces what was there, as
/// write_atomically() does it. Any length. Error: E1161 naming the file.
[[nodiscard]] Result<void> copy_durably(const std::filesystem::path& from,
                                        const std::filesystem::path& to, mode_t mode);

/// Makes a folder (0700) and its parents; one that exists is taken as it is. Error: E1161.
[[nodiscard]] Result<void> make_folder(const std::filesystem::path& folder);

}  // namespace iotsky::apps
