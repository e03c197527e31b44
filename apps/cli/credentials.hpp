#pragma once

#include <boost/json/value.hpp>
#include <filesystem>
#include <string>

#include "base/error.hpp"

/// The files of one identity: what `thing create` and `cert issue` leave in a folder, and what
/// `pub` and `sub` use.
namespace iotsky::apps::cli {

inline constexpr const char* kCertificateFile = "device.crt";
inline constexpr const char* kKeyFile = "device.key";
inline constexpr const char* kCaFile = "ca.crt";
inline constexpr const char* kNextCaFile = "ca-next.crt";
inline constexpr const char* kEndpointFile = "endpoint.json";

/// Makes the folder and makes sure that nothing in it would be overwritten, before anything is
/// issued. E1164, E1161.
[[nodiscard]] Result<void> prepare_credentials(const std::filesystem::path& folder);

/// Writes device.crt, device.key (0600; not with a CSR), ca.crt, ca-next.crt and endpoint.json from
/// the answer of POST /things or a call that returns an Identity.
[[nodiscard]] Result<void> write_credentials(const std::filesystem::path& folder,
                                             const boost::json::value& answer);

}  // namespace iotsky::apps::cli
