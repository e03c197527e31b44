#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "api/backups.hpp"
#include "apps/backup/create.hpp"
#include "apps/backup/shelf.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/thread.hpp"

namespace iotsky::apps::backup {

struct Options {
    std::chrono::seconds every{0};  ///< between automatic backups; 0: none
    std::size_t keep = 7;           ///< automatic ones, and those before upgrades; 1 or more
    std::filesystem::path passphrase_file;  ///< of automatic ones; empty: they are not encrypted
};

/// The passphrase of the file's first line; empty when there is no file. Errors: E5108, E5203.
[[nodiscard]] Result<SecretString> read_passphrase_file(const std::filesystem::path& file);
/// E5108 unless it has 8 to 1024 bytes.
[[nodiscard]] Result<void> check_passphrase(std::string_view passphrase);

/// Makes backups while the broker runs, one at a time: those that are asked for and those that are
/// due. Synchronised; owns the thread `backup`, which is nice to the others.
class Service final : public api::Backups {
  public:
    /// Gives the snapshots and files of a backup; called on the thread.
    using Open = std::function<Result<Sources>()>;

    /// `clock` and `random` outlive it; `random` is any-thread.
    Service(const std::filesystem::path& data_folder, Options options, Open open,
            const Clock& clock, Random& random);
    /// stop().
    ~Service() override;
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    void start();
    /// Ends what is being made, without a trace, and the thread.
    void stop();

    [[nodiscard]] Result<api::BackupInfo> begin(SecretString passphrase) override;
    [[nodiscard]] Result<api::BackupInfo> show(const std::string& name) override;
    [[nodiscard]] std::vector<api::BackupInfo> list() override;
    [[nodiscard]] Result<void> remove(const std::string& name) override;

  private:
    struct Job {
        api::BackupInfo info;
        Kind kind = Kind::made;
        SecretString passphrase;
    };
    void run();
    /// Waits for the next job; none at the end.
    [[nodiscard]] std::optional<Job> next_job();
    [[nodiscard]] std::optional<Job> automatic_job();
    void make(Job job);
    [[nodiscard]] Result<Description> try_make(const Job& job, api::BackupInfo& info);

    const Shelf shelf_;
    const Options options_;
    const Open open_;
    const Clock& clock_;
    Random& random_;
    std::atomic<bool> stopping_{false};
    Mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<Job> waiting_ IOTSKY_GUARDED_BY(mutex_);
    /// The last one that was asked for or due: running, done or failed.
    std::optional<api::BackupInfo> last_ IOTSKY_GUARDED_BY(mutex_);
    TimePoint not_before_ IOTSKY_GUARDED_BY(mutex_){};  // after an automatic one that failed
    std::thread thread_;
};

}  // namespace iotsky::apps::backup
