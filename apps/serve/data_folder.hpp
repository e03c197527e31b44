#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace iotsky::apps {

/// DIR of `--data DIR`, ours alone while this lives: DIR/lock is held (flock) and has our process
/// id. Move-only.
class DataFolder {
  public:
    /// Makes the folder (0700) when it is missing. Errors: E1156 it cannot be used, E1157 another
    /// broker holds it (names its process).
    [[nodiscard]] static Result<DataFolder> open(const std::filesystem::path& path);

    /// Whether open() could use the folder, or make it; changes nothing. Error: E1156.
    [[nodiscard]] static Result<void> check(const std::filesystem::path& path);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// Whether a set-up was finished in it: it has the CA's folder and the registry.
    [[nodiscard]] bool is_set_up() const;

  private:
    DataFolder(std::filesystem::path path, UniqueFd lock) noexcept
        : path_(std::move(path)), lock_(std::move(lock)) {}

    std::filesystem::path path_;
    /// The file stays: removing it would let two brokers lock two different files.
    UniqueFd lock_;
};

}  // namespace iotsky::apps
