#include "tests/unit/apps/failing_steps.hpp"

#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <utility>

namespace iotsky::apps::test {
namespace {

constexpr int kNever = -1;

std::atomic<int> steps_left{kNever};
std::atomic<Fate> fate_of_step{Fate::fails};
std::atomic<bool> has_struck{false};
std::atomic<int> syncs{0};
std::mutex synced_mutex;
std::vector<std::string> synced;

void note_synced(int fd) {
    std::error_code ignored;
    const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), ignored);
    const std::lock_guard lock(synced_mutex);
    synced.push_back(path.string());
}

template <typename Function, typename... Args>
int pass_on(const char* name, Args... args) {
    return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name))(args...);
}

bool strikes() {
    int left = steps_left.load();
    if (left == kNever) {
        return false;
    }
    if (left > 0) {
        steps_left = left - 1;
        return false;
    }
    has_struck = true;
    if (fate_of_step == Fate::kills) {
        ::_exit(9);
    }
    if (fate_of_step == Fate::fails) {
        steps_left = kNever;
    }
    errno = EIO;
    return true;
}

}  // namespace

FailingSteps::FailingSteps(int n, Fate fate) {
    has_struck = false;
    fate_of_step = fate;
    steps_left = n;
}

FailingSteps::~FailingSteps() {
    steps_left = kNever;
}

bool FailingSteps::struck() const {
    return has_struck;
}

std::vector<std::string> take_synced() {
    const std::lock_guard lock(synced_mutex);
    return std::exchange(synced, {});
}

int data_syncs() {
    return syncs;
}

}  // namespace iotsky::apps::test

using namespace iotsky::apps::test;

// The names that the program and its libraries call.
extern "C" {

int rename(const char* from, const char* to) noexcept {
    return strikes() ? -1 : pass_on<int (*)(const char*, const char*)>("rename", from, to);
}
int unlink(const char* path) noexcept {
    return strikes() ? -1 : pass_on<int (*)(const char*)>("unlink", path);
}
int rmdir(const char* path) noexcept {
    return strikes() ? -1 : pass_on<int (*)(const char*)>("rmdir", path);
}
int mkdir(const char* path, mode_t mode) noexcept {
    return strikes() ? -1 : pass_on<int (*)(const char*, mode_t)>("mkdir", path, mode);
}
int fsync(int fd) {
    note_synced(fd);
    return strikes() ? -1 : pass_on<int (*)(int)>("fsync", fd);
}
int fdatasync(int fd) {
    ++syncs;
    return pass_on<int (*)(int)>("fdatasync", fd);
}

}  // extern "C"
