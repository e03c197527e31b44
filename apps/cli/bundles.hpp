#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "apps/cli/api.hpp"

namespace iotsky::apps::cli {

struct BundleOptions {
    std::string key_type;  ///< empty: the server's default
    std::string wifi;
    bool revoke_old = false;
};

/// "otter-weather.zip" of "7b/otter/weather" in `folder`.
[[nodiscard]] std::filesystem::path bundle_file(const std::filesystem::path& folder,
                                                std::string_view path);

/// Issues a fresh certificate for the thing and writes its bundle (0600). E1164 when the file is
/// there already; then nothing is issued.
[[nodiscard]] Result<void> make_bundle(const Api& api, const std::string& path,
                                       const BundleOptions& options,
                                       const std::filesystem::path& file);

}  // namespace iotsky::apps::cli
