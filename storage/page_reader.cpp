#include "storage/page_reader.hpp"

#include <utility>

#include "storage/db.hpp"
#include "storage/messages_db.hpp"
#include "storage/queue_reader.hpp"

namespace iotsky::storage {

PageReader::PageReader(std::filesystem::path path, std::chrono::milliseconds retry_every,
                       std::function<void(const Error&)> failed)
    : path_(std::move(path)),
      retry_every_(retry_every),
      failed_(std::move(failed)),
      thread_([this] { run(); }) {}

PageReader::~PageReader() {
    {
        LockGuard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void PageReader::read(broker::QueueRead read, Answer answer) {
    {
        LockGuard lock(mutex_);
        jobs_.push_back({std::move(read), std::move(answer)});
    }
    changed_.notify_one();
}

bool PageReader::next(Job& job) {
    std::unique_lock lock(mutex_.native());
    const auto wait = [&]() IOTSKY_TSA(no_thread_safety_analysis) {
        changed_.wait(lock, [this]() IOTSKY_TSA(no_thread_safety_analysis) {
            return !jobs_.empty() || stopping_;
        });
        if (stopping_) {
            return false;
        }
        job = std::move(jobs_.front());
        jobs_.pop_front();
        return true;
    };
    return wait();
}

void PageReader::run() {
    set_thread_name("reader");
    for (Job job; next(job);) {
        Result<broker::QueuePage> page = try_read(job.read);
        if (!page) {
            failed_(page.error());
        }
        while (!page) {
            if (!wait_for_retry()) {
                return;
            }
            page = try_read(job.read);
        }
        job.answer(std::move(*page));
    }
}

Result<broker::QueuePage> PageReader::try_read(const broker::QueueRead& read) {
    if (!db_) {
        IOTSKY_TRY(db, Db::open(path_, Db::Mode::read_only, kMessagesWords));
        db_ = std::move(db);
    }
    Result<broker::QueuePage> page = read_queue(*db_, read);
    if (!page) {
        db_.reset();  // it may be in any state
    }
    return page;
}

bool PageReader::wait_for_retry() {
    std::unique_lock lock(mutex_.native());
    const auto wait = [&]() IOTSKY_TSA(no_thread_safety_analysis) {
        changed_.wait_for(lock, retry_every_,
                          [this]() IOTSKY_TSA(no_thread_safety_analysis) { return stopping_; });
        return !stopping_;
    };
    return wait();
}

}  // namespace iotsky::storage
