#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/config/config.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "broker/durable_log.hpp"
#include "storage/snapshot.hpp"

namespace iotsky::apps {

/// The message log that [durability] asks for.
struct OpenedLog {
    std::unique_ptr<broker::DurableLog> log;
    /// messages.db as it is now, for a backup, while the log lives; empty in mode memory.
    std::function<Result<std::shared_ptr<storage::Snapshot>>()> snapshot;
    std::vector<Error> warnings;  ///< a store that was set aside, or is there and not used
};

/// Opens DIR/messages.db of `folder`, or makes a log in memory. Errors: those of
/// storage::MessagesLog::open.
[[nodiscard]] Result<OpenedLog> open_message_log(const DurabilityOptions& options,
                                                 const std::filesystem::path& folder, WallTime now);

/// The word of the configuration: "durable", "relaxed", "memory".
[[nodiscard]] std::string_view to_string(DurabilityMode mode) noexcept;
/// What an acknowledgement promises, in words for the banner and `iotsky status`.
[[nodiscard]] std::string durability_meaning(const DurabilityOptions& options);

}  // namespace iotsky::apps
