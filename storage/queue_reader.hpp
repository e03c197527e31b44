#pragma once

#include "base/error.hpp"
#include "broker/queue_page.hpp"

namespace iotsky::storage {

class Db;

/// Reads a part of one session's queue, all of it as of one moment. Errors: E5302, E5304.
/// Thread: that of `db`.
[[nodiscard]] Result<broker::QueuePage> read_queue(Db& db, const broker::QueueRead& read);

}  // namespace iotsky::storage
