#pragma once

#include <filesystem>
#include <functional>

#include "base/error.hpp"
#include "broker/durable_log.hpp"

namespace iotsky::storage {

/// Reads the durable state of the sessions that `visitor` wants, on a connection of its own. Queues
/// are not looked at: their sizes are in the sessions' rows.
/// Errors: E5302, E5304; the visitor has then seen what lay in front of the damage.
/// Thread: any, several at once.
[[nodiscard]] Result<void> recover_sessions(const std::filesystem::path& path,
                                            broker::RecoveryVisitor& visitor);

/// Reads every retained message. Errors and thread: as above.
[[nodiscard]] Result<void> recover_retained(
    const std::filesystem::path& path,
    const std::function<void(const broker::StoredRetained&)>& visit);

}  // namespace iotsky::storage
