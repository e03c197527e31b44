#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "broker/open_turns.hpp"
#include "storage/db.hpp"
#include "storage/record_fold.hpp"
#include "storage/retained_tombstones.hpp"
#include "storage/session_sweeper.hpp"

namespace iotsky::storage {

/// Words for messages.db in sentences; damage is E5302.
extern const DbWords kMessagesWords;

/// messages.db as its one writer sees it: folded batches become durable here, one transaction each.
/// Confined to one thread at a time (`store`, once the log runs).
class MessagesDb {
  public:
    struct Options {
        std::filesystem::path path;
        /// Kept allocated for the write-ahead log: on a full disk even deletions need room.
        std::size_t wal_reserve_bytes = 64U << 20U;
    };
    /// Opens or creates it, checks it and brings it to the newest format. Errors: E5302 damaged,
    /// E5310 cannot be opened, E5312 newer format, E5313 some other database, E5314 migration.
    [[nodiscard]] static Result<std::unique_ptr<MessagesDb>> open(Options options);

    /// Everything up to this batch is on disk; 0 before the first.
    [[nodiscard]] broker::BatchNo applied() const noexcept { return applied_; }
    [[nodiscard]] broker::LogCounters counters() const noexcept { return counters_; }
    [[nodiscard]] FoldedBatch fold(std::span<const broker::RecordChunk> chunks) const {
        return storage::fold(chunks, live_);
    }

    /// Makes a batch durable, all of it or nothing, together with a slice of the garbage of ended
    /// sessions. After an error the same batch may be tried again, any number of times; one that is
    /// on disk already (applied()) is not written twice. `turns` are those of the log. Errors:
    /// E5301, E5302, E5304, E5305.
    [[nodiscard]] Result<void> apply(const FoldedBatch& batch, broker::BatchNo number,
                                     const broker::OpenTurns& turns);
    /// Opens the file anew, for a disk that came back. applied() is read again: it says whether an
    /// answer that was lost was a yes. Errors: as apply(); the connection stays as it was.
    [[nodiscard]] Result<void> reopen();

    /// Looks for rows that sessions of earlier runs left behind. Errors: as apply().
    [[nodiscard]] Result<void> find_orphans();
    /// Whether apply() with an empty batch has something to clear up: garbage, or space in the file
    /// that the disk can have back.
    [[nodiscard]] bool has_garbage() const noexcept;
    /// Pages in the write-ahead log at the last commit.
    [[nodiscard]] int wal_pages() const noexcept { return wal_pages_; }

  private:
    explicit MessagesDb(Options options) : options_(std::move(options)) {}
    [[nodiscard]] Result<void> connect();
    [[nodiscard]] Result<void> load();
    void reserve_wal();
    [[nodiscard]] Result<void> write(const FoldedBatch& batch, broker::BatchNo number, bool idle);
    [[nodiscard]] Error roll_back();
    void clear_up(bool idle);
    void count_free_pages();
    void remember(const FoldedBatch& batch, broker::BatchNo number, const broker::OpenTurns& turns);

    Options options_;
    std::unique_ptr<Db> db_;
    LiveSessions live_;
    RetainedTombstones tombstones_;
    SessionSweeper sweeper_;
    broker::LogCounters counters_;
    broker::BatchNo applied_ = 0;
    int wal_pages_ = 0;
    std::uint64_t free_pages_ = 0;     // of the file, at the last look
    unsigned commits_since_look_ = 0;  // at them
};

}  // namespace iotsky::storage
