#pragma once

#include "broker/ids.hpp"
#include "storage/record_fold.hpp"

namespace iotsky::storage {

class Db;
class RetainedTombstones;

/// Writes a folded batch into the tables, inside the transaction that is open. Failures stick to
/// `db`. Thread: that of `db`.
void apply_batch(Db& db, const FoldedBatch& batch, const RetainedTombstones& tombstones);

/// One row of `queue` less needs each of these messages (repeats count); one that nobody needs any
/// more is deleted.
void release_messages(Db& db, std::vector<broker::Mid> mids);

}  // namespace iotsky::storage
