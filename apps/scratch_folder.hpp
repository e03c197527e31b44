#pragma once

#include <sys/types.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/unique_fd.hpp"

namespace iotsky::apps {

/// A new folder (0700) below `parent` that goes with its object, and also when this process ends in
/// any way, kill -9 among them: a process of its own waits for that. CA keys in it (ca/*.key) are
/// overwritten first.
class ScratchFolder {
  public:
    /// Error: E1161. Thread: the only one of the process, of which it makes a copy.
    [[nodiscard]] static Result<ScratchFolder> make(const std::filesystem::path& parent);
    ScratchFolder(ScratchFolder&& other) noexcept;
    ScratchFolder& operator=(ScratchFolder&&) = delete;
    ~ScratchFolder();

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// From now on it stays.
    void release() noexcept;
    /// What the destructor does with a folder.
    static void erase(const std::filesystem::path& folder);
    /// What a process that was killed left in `parent`, where nobody else is at work.
    static void remove_leftovers(const std::filesystem::path& parent);

  private:
    explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
    [[nodiscard]] bool begin_watch();
    /// Ends the watcher; `keep`: it leaves the folder alone.
    void end_watch(bool keep) noexcept;

    std::filesystem::path path_;
    UniqueFd alive_;  ///< the watcher acts when nobody holds it open
    pid_t watcher_ = 0;
};

}  // namespace iotsky::apps
