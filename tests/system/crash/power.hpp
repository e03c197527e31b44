#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "tests/support/temporary_folder.hpp"

namespace iotsky::crash {

/// A temporary folder, and the disk under a broker's data in it (unruly_disk.cpp).
class Folder {
  public:
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_.path(); }

    /// From now on `data` is watched: what is in it counts as synced.
    void begin_layer(const std::filesystem::path& data, const std::string& layer, unsigned sync_ms);
    /// For the broker's process.
    [[nodiscard]] const std::vector<std::string>& environment() const noexcept {
        return environment_;
    }
    /// The power goes: `data` becomes what was synced and, of every other block, what the disk
    /// happened to have written (each with one chance in two).
    void cut_power(const std::filesystem::path& data, SeededRandom& random) const;
    /// "full", "read-only" or "" for a disk that works.
    void set_switch(const std::string& how) const;

  private:
    [[nodiscard]] std::filesystem::path synced() const { return path() / "synced"; }
    TemporaryFolder folder_;
    std::vector<std::string> environment_;
};

}  // namespace iotsky::crash
