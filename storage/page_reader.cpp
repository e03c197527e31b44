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

std::optional<PageReader::Job> PageReader::next() {
    LockGuard lock(mutex_);
    while (jobs_.empty() && !stopping_) {
        changed_.wait(mutex_);
    }
    if (stopping_) {
        return std::nullopt;
    }
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    return job;
}

void PageReader::run() {
    set_thread_name("reader");
    while (auto job = next()) {
        Result<broker::QueuePage> page = try_read(job->read);
        if (!page) {
            failed_(page.error());
        }
        while (!page) {
            if (!wait_for_retry()) {
                return;
            }
            page = try_read(job->read);
        }
        job->answer(std::move(*page));
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
    LockGuard lock(mutex_);
    const auto end = std::chrono::steady_clock::now() + retry_every_;
    while (!stopping_ && std::chrono::steady_clock::now() < end) {
        changed_.wait_until(mutex_, end);
    }
    return !stopping_;
}

}  // namespace iotsky::storage
