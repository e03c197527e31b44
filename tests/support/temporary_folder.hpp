#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace iotsky {

/// A folder that goes with its object; in memory where that can be had: its syncs cost nothing, and
/// a kill takes no written byte away.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        const std::filesystem::path shared_memory = "/dev/shm";
        std::string name =
            (::access(shared_memory.c_str(), W_OK) == 0 ? shared_memory
                                                        : std::filesystem::temp_directory_path()) /
            "iotsky-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error("no temporary folder");
        }
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace iotsky
