#include "tests/system/crash/small_disk.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/errno_text.hpp"
#include "base/unique_fd.hpp"

namespace iotsky::crash {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& what) {
    throw std::runtime_error(what + ": " + errno_text(errno));
}

bool write_file(const char* path, const std::string& text) {
    std::ofstream out(path);
    out << text;
    return static_cast<bool>(out.flush());
}

}  // namespace

bool SmallDisk::own_mounts() {
    const std::string user = std::to_string(::getuid());
    const std::string group = std::to_string(::getgid());
    return ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 &&
           write_file("/proc/self/uid_map", "0 " + user + " 1") &&
           write_file("/proc/self/setgroups", "deny") &&
           write_file("/proc/self/gid_map", "0 " + group + " 1") &&
           ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

void SmallDisk::mount(const fs::path& folder, unsigned mib) {
    const fs::path before = folder.string() + ".before";
    fs::rename(folder, before);
    fs::create_directory(folder);
    const std::string size = "mode=700,size=" + std::to_string(mib) + "m";
    if (::mount("none", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, size.c_str()) != 0) {
        fail("no tmpfs");
    }
    fs::copy(before, folder, fs::copy_options::recursive);
    filler_ = folder / "filler";
}

void SmallDisk::fill() const {
    const UniqueFd file{::open(filler_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (!file) {
        fail("no filler");
    }
    for (std::vector<char> part(std::size_t{1} << 20U); !part.empty();
         part.resize(part.size() / 2)) {
        while (::write(file.get(), part.data(), part.size()) > 0) {
        }
    }
    if (errno != ENOSPC) {
        fail("the disk is not full");
    }
}

void SmallDisk::relieve() const {
    fs::remove(filler_);
}

}  // namespace iotsky::crash
