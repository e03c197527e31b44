#include "storage/registry_writer.hpp"

#include <sqlite3.h>

#include <algorithm>

#include "base/assert.hpp"
#include "base/log.hpp"

namespace iotsky::storage {
namespace {

/// Callers that share one commit; more wait for the next.
constexpr std::size_t kBatchMax = 64;

}  // namespace

RegistryWriter::RegistryWriter(std::unique_ptr<Db> db)
    : db_(std::move(db)), tx_(*db_), thread_([this] { loop(); }) {}

RegistryWriter::~RegistryWriter() {
    {
        const LockGuard lock(mutex_);
        stopping_ = true;
    }
    wake_writer_.notify_one();
    thread_.join();
}

Result<void> RegistryWriter::run(const provisioning::Store::TxBody& body,
                                 provisioning::Ending ending) {
    // A transaction inside a transaction would wait for itself for ever.
    IOTSKY_ASSERT(std::this_thread::get_id() != thread_.get_id());
    Job job{&body, ending, {}, false};
    const LockGuard lock(mutex_);
    waiting_.push_back(&job);
    wake_writer_.notify_one();
    while (!job.done) {
        wake_callers_.wait(mutex_);
    }
    return std::move(job.outcome);
}

std::uint64_t RegistryWriter::commits() const noexcept {
    const LockGuard lock(mutex_);
    return commits_;
}

void RegistryWriter::loop() {
    set_thread_name("registry");
    for (std::vector<Job*> batch = next_batch(); !batch.empty(); batch = next_batch()) {
        run_batch(batch);
        {
            const LockGuard lock(mutex_);
            for (Job* job : batch) {
                job->done = true;
            }
        }
        wake_callers_.notify_all();
    }
}

std::vector<RegistryWriter::Job*> RegistryWriter::next_batch() {
    const LockGuard lock(mutex_);
    while (waiting_.empty() && !stopping_) {
        wake_writer_.wait(mutex_);
    }
    const auto end =
        waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kBatchMax));
    std::vector<Job*> batch(waiting_.begin(), end);
    waiting_.erase(waiting_.begin(), end);
    return batch;
}

void RegistryWriter::run_batch(const std::vector<Job*>& batch) {
    db_->run("BEGIN IMMEDIATE");
    for (Job* job : batch) {
        if (!db_->in_transaction()) {
            break;
        }
        run_part(*job);
    }
    if (db_->in_transaction()) {
        end_batch(batch);
    } else {
        fail_batch(batch);
    }
    db_->reset();
}

/// One caller's part. A storage error inside it counts before whatever the body returned.
void RegistryWriter::run_part(Job& job) {
    db_->run("SAVEPOINT part");
    Result<void> outcome = (*job.body)(tx_);
    if (db_->failed()) {
        outcome = db_->error();
        log::error(db_->error().number, "registry write failed", {{"detail", db_->error().detail}});
        if (!db_->in_transaction()) {
            return;  // SQLite took back the whole batch; fail_batch() tells everybody.
        }
        db_->reset();
    }
    if (!outcome || job.ending == provisioning::Ending::roll_back) {
        db_->run("ROLLBACK TO part");
    }
    db_->run("RELEASE part");
    job.outcome = std::move(outcome);
}

void RegistryWriter::end_batch(const std::vector<Job*>& batch) {
    db_->run("COMMIT");
    if (db_->failed()) {
        fail_batch(batch);
        return;
    }
    const LockGuard lock(mutex_);
    ++commits_;
}

/// Nothing of the batch remains: every part that had succeeded fails with the storage error.
void RegistryWriter::fail_batch(const std::vector<Job*>& batch) {
    if (!db_->failed()) {
        db_->fail(SQLITE_IOERR, "the transaction was taken back");
    }
    const Error error = db_->error();
    log::error(error.number, "registry commit failed", {{"detail", error.detail}});
    db_->reset();
    if (db_->in_transaction()) {
        db_->run("ROLLBACK");
    }
    for (Job* job : batch) {
        if (job->outcome) {
            job->outcome = error;
        }
    }
}

}  // namespace iotsky::storage
