#include "apps/scratch_folder.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
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

/// Out of the reach of a terminal's Ctrl-C; holds nothing open but `keep`: neither the terminal nor
/// the lock of a data folder.
int leave_all_but(int keep) {
    ::setsid();
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE}) {
        static_cast<void>(std::signal(number, SIG_IGN));
    }
    const UniqueFd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    const int last = STDERR_FILENO + 1;
    ::dup2(keep, last);
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::dup2(nothing.get(), fd);
    }
    ::close_range(static_cast<unsigned>(last) + 1, ~0U, 0);
    return last;
}

/// Whether the other end said something before it was closed.
bool hears(int end) {
    char word = 0;
    ssize_t count = 0;
    while ((count = ::read(end, &word, 1)) < 0 && errno == EINTR) {
    }
    return count > 0;
}

void say_something(int end) noexcept {
    static_cast<void>(::send(end, "k", 1, MSG_NOSIGNAL));
}

/// Says that it holds nothing of its parent's any more. Until the other end is closed, or says that
/// the folder stays.
[[noreturn]] void watch(int parent, const fs::path& folder) {
    const int lives = leave_all_but(parent);
    say_something(lives);
    if (!hears(lives)) {
        ScratchFolder::erase(folder);
    }
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
    ScratchFolder folder{name};
    return folder.begin_watch() ? Result<ScratchFolder>{std::move(folder)}
                                : cannot_make(parent, errno);
}

bool ScratchFolder::begin_watch() {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return false;
    }
    UniqueFd theirs{ends[0]};
    alive_ = UniqueFd{ends[1]};
    watcher_ = ::fork();
    if (watcher_ == 0) {
        alive_.reset();
        watch(theirs.get(), path_);
    }
    theirs.reset();
    return watcher_ > 0 && hears(alive_.get());
}

void ScratchFolder::end_watch(bool keep) noexcept {
    if (watcher_ <= 0) {
        return;
    }
    if (keep) {
        say_something(alive_.get());  // it is there until we close
    }
    alive_.reset();
    ::waitpid(std::exchange(watcher_, 0), nullptr, 0);
}

void ScratchFolder::release() noexcept {
    end_watch(true);
    path_.clear();
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      alive_(std::move(other.alive_)),
      watcher_(std::exchange(other.watcher_, 0)) {}

ScratchFolder::~ScratchFolder() {
    if (!path_.empty()) {
        erase(path_);
    }
    end_watch(false);
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
