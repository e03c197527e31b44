#include "apps/serve/data_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "apps/files.hpp"
#include "base/errno_text.hpp"

namespace iotsky::apps {
namespace {

Error unusable(const std::filesystem::path& path, const std::string& what, std::string how) {
    return make_error(Errc::io, "E1156", "The data folder " + path.string() + " " + what + ".",
                      "It holds the CA's keys and the registry: it must be this account's alone.",
                      std::move(how));
}

Result<void> check_folder(const std::filesystem::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return unusable(path, "cannot be read: " + errno_text(errno), "ls -ld " + path.string());
    }
    const uid_t account = ::geteuid();
    if (status.st_uid != account && account != 0) {
        return unusable(path, "belongs to another account", "sudo chown -R $USER " + path.string());
    }
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return unusable(path, "can be written by others", "chmod 700 " + path.string());
    }
    return {};
}

/// A new folder is often 0755; an empty one holds nothing that somebody else relies on.
void make_private(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_empty(path, ignored)) {
        ::chmod(path.c_str(), S_IRWXU);
    }
}

std::string holder_of(int lock) {
    std::array<char, 32> text{};
    const ssize_t count = ::pread(lock, text.data(), text.size() - 1, 0);
    const std::string pid{text.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
    return pid.substr(0, pid.find('\n'));
}

Error held(const std::filesystem::path& path, const std::string& pid) {
    return make_error(
        Errc::conflict, "E1157",
        "Another broker uses " + path.string() + (pid.empty() ? "." : " (pid " + pid + ")."),
        "Two brokers on one folder would destroy each other's data.",
        pid.empty() ? "Stop it, or give this one another --data DIR."
                    : "Stop it (kill " + pid + "), or give this one another --data DIR.");
}

}  // namespace

Result<void> DataFolder::check(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        if (!std::filesystem::is_directory(path, ignored)) {
            return unusable(path, "is a file", "Give a folder with --data DIR.");
        }
        return check_folder(path);
    }
    std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
    while (!std::filesystem::exists(parent, ignored)) {
        parent = parent.parent_path();
    }
    if (::access(parent.c_str(), W_OK | X_OK) != 0) {
        return unusable(path, "cannot be made: this account may not write in " + parent.string(),
                        "Make it: sudo install -d -m 700 -o $USER " + path.string());
    }
    return {};
}

Result<DataFolder> DataFolder::open(const std::filesystem::path& path) {
    if (auto made = make_folder(path); !made) {
        return unusable(path, "cannot be made: " + made.error().why,
                        "Give a folder that this account may write.");
    }
    IOTSKY_CHECK(check_folder(path));
    make_private(path);
    const std::filesystem::path file = path / "lock";
    UniqueFd lock{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)};
    if (!lock) {
        return unusable(path, "cannot be locked: " + errno_text(errno), "ls -l " + file.string());
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        return held(path, holder_of(lock.get()));
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(lock.get(), 0) != 0 ||
        ::pwrite(lock.get(), pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
        return unusable(path, "cannot be written: " + errno_text(errno), "df -h " + path.string());
    }
    return DataFolder{path, std::move(lock)};
}

bool DataFolder::is_set_up() const {
    return std::filesystem::exists(path_ / "ca") && std::filesystem::exists(path_ / "registry.db");
}

}  // namespace iotsky::apps
