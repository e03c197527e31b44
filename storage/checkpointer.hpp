#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/error.hpp"
#include "base/thread.hpp"

namespace iotsky::storage {

class Db;

/// Copies the write-ahead log of messages.db into the database file, on a connection and a thread
/// (`checkpoint`) of its own, so that no commit waits for it. Synchronised.
class Checkpointer {
  public:
    struct Options {
        std::filesystem::path path;
        int pages_begin = 2'048;  ///< pages in the log (8 MiB) from which it is copied
        /// Pages (32 MiB) from which commits wait, for at most 100 ms, so that the log can begin
        /// anew: while they go on it never gets empty.
        int pages_hold = 8'192;
    };
    /// Errors: E5304 and those of Db::open.
    [[nodiscard]] static Result<std::unique_ptr<Checkpointer>> open(Options options);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    /// The log has so many pages now. Store thread, after a commit.
    void note(int wal_pages);
    /// The file became shorter in the log: the disk shall have the space back. Store thread.
    void give_back_space();
    /// While a long reader (a backup) is about the log cannot begin anew: no commit shall wait for
    /// that. Calls nest. Thread: any.
    void add_long_reader(int change) noexcept { long_readers_.fetch_add(change); }

  private:
    Checkpointer(Options options, std::unique_ptr<Db> db);
    void run();
    /// Waits until the log is to be copied: its pages; 0: the end.
    [[nodiscard]] int next();
    void checkpoint(int wal_pages);
    void report(int code);

    Options options_;
    std::unique_ptr<Db> db_;  // of the thread
    bool failing_ = false;    // of the thread: told once
    std::atomic<int> long_readers_{0};
    Mutex mutex_;
    std::condition_variable_any changed_;
    int wal_pages_ IOTSKY_GUARDED_BY(mutex_) = 0;
    bool stopping_ IOTSKY_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace iotsky::storage
