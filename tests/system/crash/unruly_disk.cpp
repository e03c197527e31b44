// LD_PRELOAD layer between a program and its disk, for one folder: what was not synced is forgotten
// when the process dies, syncs are slow, the disk is full or read-only. It lies below SQLite and
// below anything that may come to write there, and needs no rights.
//
//   UNRULY_ROOT      the folder; nothing outside of it is touched
//   UNRULY_SYNCED    a copy of it that receives only what was synced: what a power cut leaves
//   UNRULY_SYNC_MS   how much longer each sync takes
//   UNRULY_SLOW      a part of names: each write to such a file takes UNRULY_SLOW_MS longer
//   UNRULY_SWITCH    a file: while it holds "full" or "read-only", writes fail so;
//                    "full END": to files whose names end so
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

template <typename Function>
Function real(const char* name) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

using Write = ssize_t (*)(int, const void*, std::size_t);
using PWrite = ssize_t (*)(int, const void*, std::size_t, off64_t);
using Truncate = int (*)(int, off64_t);
using Allocate = int (*)(int, int, off64_t, off64_t);
using Sync = int (*)(int);
using Unlink = int (*)(const char*);
using Rename = int (*)(const char*, const char*);

struct Range {
    off64_t from = 0;
    std::size_t size = 0;
};
using Inode = std::pair<dev_t, ino_t>;

struct Settings {
    std::string root;
    std::string synced;
    std::string switch_file;
    unsigned sync_ms = 0;
    std::string slow;
    unsigned slow_ms = 0;
};

std::string text_of(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

unsigned number_of(const char* name) {
    return static_cast<unsigned>(std::atoi(text_of(name).c_str()));
}

const Settings& settings() {
    static const Settings all{text_of("UNRULY_ROOT"),   text_of("UNRULY_SYNCED"),
                              text_of("UNRULY_SWITCH"), number_of("UNRULY_SYNC_MS"),
                              text_of("UNRULY_SLOW"),   number_of("UNRULY_SLOW_MS")};
    return all;
}

std::mutex& mutex() {
    static std::mutex one;
    return one;
}
std::map<Inode, std::vector<Range>>& dirty() {
    static std::map<Inode, std::vector<Range>> all;
    return all;
}

/// "/x.db" of a path in the folder; empty outside of it.
std::string inside(const std::string& path) {
    const std::string& root = settings().root;
    return !root.empty() && path.starts_with(root + "/") ? path.substr(root.size()) : "";
}

std::string inside(int fd) {
    char path[PATH_MAX];
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    return size <= 0 ? "" : inside(std::string{path, static_cast<std::size_t>(size)});
}

void take_time(int fd) {
    if (!settings().slow.empty() && inside(fd).find(settings().slow) != std::string::npos) {
        ::usleep(settings().slow_ms * 1'000);
    }
}

/// The error that a write gets now; 0: none.
int refusal(int fd) {
    const std::string name = settings().switch_file.empty() ? "" : inside(fd);
    if (name.empty()) {
        return 0;
    }
    const int file = ::open(settings().switch_file.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return 0;
    }
    char text[64];
    const ssize_t size = ::read(file, text, sizeof text);
    ::close(file);
    const std::string said{text, size > 0 ? static_cast<std::size_t>(size) : 0};
    const std::size_t gap = said.find(' ');
    if (said.empty() || (gap != std::string::npos && !name.ends_with(said.substr(gap + 1)))) {
        return 0;
    }
    return said[0] == 'f' ? ENOSPC : EROFS;
}

bool inode_of(int fd, Inode& inode, off64_t* size = nullptr) {
    struct stat64 status {};
    if (::fstat64(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    inode = {status.st_dev, status.st_ino};
    if (size != nullptr) {
        *size = status.st_size;
    }
    return true;
}

void note(int fd, off64_t from, ssize_t size) {
    Inode inode;
    if (size > 0 && !settings().synced.empty() && inode_of(fd, inode)) {
        const std::lock_guard lock(mutex());
        dirty()[inode].push_back({from, static_cast<std::size_t>(size)});
    }
}

void copy(int from, int to, const Range& range) {
    static const PWrite pwrite_really = real<PWrite>("pwrite64");
    std::vector<char> bytes(range.size);
    const ssize_t got = ::pread64(from, bytes.data(), bytes.size(), range.from);
    if (got > 0) {
        (void)pwrite_really(to, bytes.data(), static_cast<std::size_t>(got), range.from);
    }
}

/// What was written since the last sync is on the disk now.
void survive(int fd) {
    const std::string name = inside(fd);
    Inode inode;
    off64_t size = 0;
    if (settings().synced.empty() || name.empty() || !inode_of(fd, inode, &size)) {
        return;
    }
    std::vector<Range> ranges;
    {
        const std::lock_guard lock(mutex());
        ranges = std::exchange(dirty()[inode], {});
    }
    const std::string self = "/proc/self/fd/" + std::to_string(fd);
    const int from = ::open(self.c_str(), O_RDONLY | O_CLOEXEC);
    const int to = ::open((settings().synced + name).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (from >= 0 && to >= 0) {
        for (const Range& range : ranges) {
            copy(from, to, range);
        }
        static const Truncate truncate_really = real<Truncate>("ftruncate64");
        (void)truncate_really(to, size);
    }
    ::close(from);
    ::close(to);
}

int sync_with(const char* name, int fd) {
    const int done = real<Sync>(name)(fd);
    if (settings().sync_ms != 0 && !inside(fd).empty()) {
        ::usleep(settings().sync_ms * 1'000);
    }
    if (const int error = refusal(fd)) {
        errno = error == ENOSPC ? EIO : error;
        return -1;
    }
    if (done == 0) {
        survive(fd);
    }
    return done;
}

ssize_t refused(int error) {
    errno = error;
    return -1;
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, std::size_t size) {
    static const Write really = real<Write>("write");
    if (const int error = refusal(fd)) {
        return refused(error);
    }
    take_time(fd);
    const off64_t at = settings().synced.empty() ? 0 : ::lseek64(fd, 0, SEEK_CUR);
    const ssize_t done = really(fd, data, size);
    note(fd, at, done);
    return done;
}

ssize_t pwrite64(int fd, const void* data, std::size_t size, off64_t at) {
    static const PWrite really = real<PWrite>("pwrite64");
    if (const int error = refusal(fd)) {
        return refused(error);
    }
    take_time(fd);
    const ssize_t done = really(fd, data, size, at);
    note(fd, at, done);
    return done;
}

ssize_t pwrite(int fd, const void* data, std::size_t size, off_t at) {
    return pwrite64(fd, data, size, at);
}

int ftruncate64(int fd, off64_t size) {
    static const Truncate really = real<Truncate>("ftruncate64");
    if (const int error = refusal(fd)) {
        return static_cast<int>(refused(error));
    }
    return really(fd, size);
}

int ftruncate(int fd, off_t size) {
    return ftruncate64(fd, size);
}

int fallocate64(int fd, int mode, off64_t from, off64_t size) {
    static const Allocate really = real<Allocate>("fallocate64");
    if (const int error = refusal(fd)) {
        return static_cast<int>(refused(error));
    }
    return really(fd, mode, from, size);
}

int fallocate(int fd, int mode, off_t from, off_t size) {
    return fallocate64(fd, mode, from, size);
}

int fsync(int fd) {
    return sync_with("fsync", fd);
}

int fdatasync(int fd) {
    return sync_with("fdatasync", fd);
}

int unlink(const char* path) {
    static const Unlink really = real<Unlink>("unlink");
    const int done = really(path);
    const std::string name = inside(path);
    if (done == 0 && !name.empty() && !settings().synced.empty()) {
        (void)really((settings().synced + name).c_str());
    }
    return done;
}

int rename(const char* from, const char* to) {
    static const Rename really = real<Rename>("rename");
    const int done = really(from, to);
    const std::string old_name = inside(from);
    const std::string new_name = inside(to);
    if (done == 0 && !old_name.empty() && !new_name.empty() && !settings().synced.empty()) {
        (void)really((settings().synced + old_name).c_str(),
                     (settings().synced + new_name).c_str());
    }
    return done;
}

}  // extern "C"
