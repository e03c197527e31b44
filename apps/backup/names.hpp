#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace iotsky::apps::backup {

/// The names in a folder, sorted. Error: E5109, E5103 it cannot be listed: what is not seen must
/// not be taken for what is not there.
[[nodiscard]] Result<std::vector<std::string>> names_in(const std::filesystem::path& folder);

/// Whether something has this name, a dangling link included.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

/// NAME, or NAME-2, NAME-3 ...: the first that, with `extension`, nothing in `folder` has.
[[nodiscard]] std::string free_name(const std::filesystem::path& folder, const std::string& name,
                                    std::string_view extension = "");

}  // namespace iotsky::apps::backup
