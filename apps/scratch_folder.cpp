#include "apps/scratch_folder.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "base/errno_text.hpp"
#include "certs/files.hpp"

namespace iotsky::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = ".iotsky-scratch-";

Error cannot_make(const fs::path& parent, int number) {
    return make_error(Errc::io, "E1161", "No folder could be made in " + parent.string() + ".",
                      errno_text(number) + ".",
                      "Check that it exists, its owner, and the disk (ls -ld, df -h).");
}

/// Out of the reach of a terminal's Ctrl-C, and holding nothing of it open.
void leave_terminal() {
    ::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
        std::signal(number, SIG_IGN);
    }
    const int nothing = ::open("/dev/null", O_RDWR);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(nothing, fd);
    }
}

[[noreturn]] void watch(int parent_lives, const fs::path& folder) {
    leave_terminal();
    char nothing = 0;
    while (::read(parent_lives, &nothing, 1) < 0 && errno == EINTR) {
    }
    ScratchFolder::erase(folder);
    ::_exit(0);
}

}  // namespace

void ScratchFolder::erase(const fs::path& folder) {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{folder / "ca", ignored}) {
        if (entry.path().extension() == ".key") {
            const auto erased = certs::erase_file(entry.path());
            static_cast<void>(erased);  // a file that cannot be overwritten is removed below
        }
    }
    fs::remove_all(folder, ignored);
}

Result<ScratchFolder> ScratchFolder::make(const fs::path& parent) {
    std::string name = (parent / (std::string{kPrefix} + "XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) {
        return cannot_make(parent, errno);
    }
    return ScratchFolder{name};
}

Result<ScratchFolder> ScratchFolder::make_watched(const fs::path& parent) {
    IOTSKY_TRY(folder, make(parent));
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return cannot_make(parent, errno);
    }
    UniqueFd parent_lives{ends[0]};
    folder.alive_ = UniqueFd{ends[1]};
    folder.watcher_ = ::fork();
    if (folder.watcher_ == 0) {
        folder.alive_ = UniqueFd{};
        watch(parent_lives.get(), folder.path_);
    }
    if (folder.watcher_ < 0) {
        return cannot_make(parent, errno);
    }
    return folder;
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      alive_(std::move(other.alive_)),
      watcher_(std::exchange(other.watcher_, 0)) {}

ScratchFolder::~ScratchFolder() {
    if (!path_.empty()) {
        erase(path_);
    }
    if (watcher_ > 0) {
        alive_ = UniqueFd{};
        ::waitpid(watcher_, nullptr, 0);
    }
}

void ScratchFolder::remove_leftovers(const fs::path& parent) {
    std::error_code ignored;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator{parent, ignored}) {
        if (entry.path().filename().string().starts_with(kPrefix)) {
            found.push_back(entry.path());
        }
    }
    for (const fs::path& folder : found) {
        erase(folder);
    }
}

}  // namespace iotsky::apps
