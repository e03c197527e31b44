#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "base/error.hpp"
#include "base/thread.hpp"
#include "broker/queue_page.hpp"

namespace iotsky::storage {

class Db;

/// Reads pages of queues on a thread (`reader`) and a connection of its own; short transactions, so
/// that the write-ahead log can begin anew between them. A read that fails is tried again until it
/// succeeds. Synchronised.
class PageReader {
  public:
    using Answer = std::function<void(broker::QueuePage)>;
    /// `failed` is told once of each read that fails, on the reader's thread.
    PageReader(std::filesystem::path path, std::chrono::milliseconds retry_every,
               std::function<void(const Error&)> failed);
    /// What was not answered is dropped.
    ~PageReader();
    PageReader(const PageReader&) = delete;
    PageReader& operator=(const PageReader&) = delete;

    void read(broker::QueueRead read, Answer answer);

  private:
    struct Job {
        broker::QueueRead read;
        Answer answer;
    };
    void run();
    /// Waits for one; empty: the end.
    [[nodiscard]] std::optional<Job> next();
    [[nodiscard]] Result<broker::QueuePage> try_read(const broker::QueueRead& read);
    [[nodiscard]] bool wait_for_retry();

    const std::filesystem::path path_;
    const std::chrono::milliseconds retry_every_;
    const std::function<void(const Error&)> failed_;
    std::unique_ptr<Db> db_;  // of the thread; opened at the first read
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::deque<Job> jobs_ IOTSKY_GUARDED_BY(mutex_);
    bool stopping_ IOTSKY_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace iotsky::storage
