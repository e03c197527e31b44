#pragma once

#include <cstddef>
#include <deque>
#include <span>

#include "broker/ids.hpp"
#include "storage/record_fold.hpp"

namespace iotsky::storage {

class Db;

/// Deletes the rows of sessions that have ended, a slice per transaction, so that a queue of a
/// million messages holds nobody up. A sid is never used again: until then its rows are garbage
/// that nothing delivers. Confined to the store thread.
class SessionSweeper {
  public:
    /// Finds the garbage of earlier runs: sessions with rows that are not in `live`. One look-up
    /// per session, whatever its queue holds.
    void find_orphans(Db& db, const LiveSessions& live);
    void add(std::span<const broker::Sid> ended);
    [[nodiscard]] bool has_work() const noexcept { return !dead_.empty(); }

    /// Deletes up to `rows_max` rows inside the transaction that is open; failures stick to `db`.
    void slice(Db& db, std::size_t rows_max);
    /// The transaction is durable.
    void committed();

  private:
    [[nodiscard]] std::size_t sweep(Db& db, broker::Sid sid, std::size_t rows_max);

    std::deque<broker::Sid> dead_;
    std::size_t finished_ = 0;  // of dead_, in the transaction that is open
};

}  // namespace iotsky::storage
