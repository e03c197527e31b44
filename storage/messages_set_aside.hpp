#pragma once

#include <filesystem>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace iotsky::storage {

/// The file beside `messages` that says that damage was met while the broker ran: the next start
/// sets the database aside, although it can be opened.
[[nodiscard]] std::filesystem::path damage_mark(const std::filesystem::path& messages);
/// Writes that file; a disk that does not take it is logged.
void mark_damaged(const std::filesystem::path& messages, const Error& damage);

/// Renames a damaged message store (with its write-ahead log and its mark) to
/// `messages.db.damaged-<time>`, which is returned. Nothing is deleted. Errors: E5304 it cannot be
/// renamed.
[[nodiscard]] Result<std::filesystem::path> set_aside(const std::filesystem::path& messages,
                                                      WallTime now);
/// E5302 as a warning for people: what the file that was set aside held, as far as that can still
/// be read.
[[nodiscard]] Error told_as_lost(const std::filesystem::path& kept);

}  // namespace iotsky::storage
