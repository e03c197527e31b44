#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace iotsky::api {

/// What the kernel says about this process; 0 for what it does not say.
struct ProcessStats {
    double cpu_s = 0;
    double start_s = 0;  ///< since 1970
    std::uint64_t virtual_bytes = 0;
    std::uint64_t resident_bytes = 0;
    std::uint64_t open_descriptors = 0;
    std::uint64_t descriptors_max = 0;
};
[[nodiscard]] ProcessStats process_stats();

/// Bytes of a database and its write-ahead log; 0 when it is not there.
[[nodiscard]] std::uint64_t store_bytes(const std::string& folder, std::string_view file);

/// Bytes that a user who is not root may still write there; 0 when it cannot be asked.
[[nodiscard]] std::uint64_t disk_free_bytes(const std::string& folder);

}  // namespace iotsky::api
