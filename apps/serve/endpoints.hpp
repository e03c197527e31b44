#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace iotsky::apps {

/// One listener that is open.
struct OpenListener {
    std::string name;
    std::string protocol;    ///< "mqtts", "http", "unix" ...
    std::string host;        ///< not for unix
    std::uint16_t port = 0;  ///< not for unix
    std::string path;        ///< unix
    std::string security;    ///< in words, for banner and status

    /// "[::]:8883", or the path.
    [[nodiscard]] std::string address() const;
};

/// The text of DIR/endpoints.json (decisions 15). Pure.
[[nodiscard]] std::string endpoints_json(const std::filesystem::path& data_folder, long pid,
                                         const std::vector<OpenListener>& listeners);

/// Writes DIR/endpoints.json, whole or not at all. Error: E1161.
[[nodiscard]] Result<void> write_endpoints(const std::filesystem::path& data_folder,
                                           const std::vector<OpenListener>& listeners);
/// Takes it away: nobody is listening any more.
void remove_endpoints(const std::filesystem::path& data_folder) noexcept;

}  // namespace iotsky::apps
