#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/thread.hpp"
#include "provisioning/store.hpp"
#include "storage/db.hpp"
#include "storage/registry_tx.hpp"

namespace iotsky::storage {

/// The `registry` thread: the only one that writes registry.db. What waits when it comes round runs
/// in one SQLite transaction, each caller's part in a savepoint of its own, and becomes durable
/// with one commit. Synchronised.
class RegistryWriter {
  public:
    explicit RegistryWriter(std::unique_ptr<Db> db);
    /// Finishes what waits, checkpoints, ends the thread.
    ~RegistryWriter();
    RegistryWriter(const RegistryWriter&) = delete;
    RegistryWriter& operator=(const RegistryWriter&) = delete;

    /// Runs `body` on the writer thread; returns when its outcome is durable.
    [[nodiscard]] Result<void> run(const provisioning::Store::TxBody& body,
                                   provisioning::Ending ending);

    /// Commits made so far; fewer than calls when calls met.
    [[nodiscard]] std::uint64_t commits() const noexcept;

  private:
    struct Job {
        const provisioning::Store::TxBody* body = nullptr;
        provisioning::Ending ending = provisioning::Ending::commit;
        Result<void> outcome{};
        bool done = false;
    };

    void loop();
    /// Waits for callers; empty: the end.
    [[nodiscard]] std::vector<Job*> next_batch();
    void run_batch(const std::vector<Job*>& batch);
    void run_part(Job& job);
    void end_batch(const std::vector<Job*>& batch);
    void fail_batch(const std::vector<Job*>& batch);

    std::unique_ptr<Db> db_;
    RegistryTx tx_;
    mutable Mutex mutex_;
    std::condition_variable_any wake_writer_;
    std::condition_variable_any wake_callers_;
    std::deque<Job*> waiting_ IOTSKY_GUARDED_BY(mutex_);
    bool stopping_ IOTSKY_GUARDED_BY(mutex_) = false;
    std::uint64_t commits_ IOTSKY_GUARDED_BY(mutex_) = 0;
    std::thread thread_;
};

}  // namespace iotsky::storage
