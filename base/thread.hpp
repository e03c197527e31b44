#pragma once

#include <mutex>
#include <shared_mutex>
#include <string_view>
#include <thread>

#if defined(__clang__)
#define IOTSKY_TSA(x) __attribute__((x))
#else
#define IOTSKY_TSA(x)
#endif
#define IOTSKY_GUARDED_BY(m) IOTSKY_TSA(guarded_by(m))
#define IOTSKY_REQUIRES(...) IOTSKY_TSA(requires_capability(__VA_ARGS__))

namespace iotsky {

/// std::mutex that clang's thread-safety analysis understands. Each use is listed in
/// docs/threading.md.
class IOTSKY_TSA(capability("mutex")) Mutex {
  public:
    void lock() IOTSKY_TSA(acquire_capability()) { mutex_.lock(); }
    void unlock() IOTSKY_TSA(release_capability()) { mutex_.unlock(); }
    /// For std::condition_variable.
    std::mutex& native() { return mutex_; }

  private:
    std::mutex mutex_;
};

/// Readers share, a writer is alone.
class IOTSKY_TSA(capability("mutex")) SharedMutex {
  public:
    void lock() IOTSKY_TSA(acquire_capability()) { mutex_.lock(); }
    void unlock() IOTSKY_TSA(release_capability()) { mutex_.unlock(); }
    void lock_shared() IOTSKY_TSA(acquire_shared_capability()) { mutex_.lock_shared(); }
    void unlock_shared() IOTSKY_TSA(release_shared_capability()) { mutex_.unlock_shared(); }

  private:
    std::shared_mutex mutex_;
};

template <typename M>
class IOTSKY_TSA(scoped_lockable) LockGuard {
  public:
    explicit LockGuard(M& mutex) IOTSKY_TSA(acquire_capability(mutex)) : mutex_(mutex) {
        mutex_.lock();
    }
    ~LockGuard() IOTSKY_TSA(release_capability()) { mutex_.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

  private:
    M& mutex_;
};

class IOTSKY_TSA(scoped_lockable) SharedLockGuard {
  public:
    explicit SharedLockGuard(SharedMutex& mutex) IOTSKY_TSA(acquire_shared_capability(mutex))
        : mutex_(mutex) {
        mutex_.lock_shared();
    }
    ~SharedLockGuard() IOTSKY_TSA(release_capability()) { mutex_.unlock_shared(); }
    SharedLockGuard(const SharedLockGuard&) = delete;
    SharedLockGuard& operator=(const SharedLockGuard&) = delete;

  private:
    SharedMutex& mutex_;
};

/// Member of a class that is confined to one thread; binds to the first thread that calls check().
class ThreadChecker {
  public:
    void check() const noexcept;
    /// The object moves to another thread, whole.
    void detach() noexcept { owner_ = {}; }

  private:
    mutable std::thread::id owner_;
};

/// Names the calling thread for ps, gdb and perf; at most 15 bytes are kept.
void set_thread_name(std::string_view name) noexcept;

}  // namespace iotsky
