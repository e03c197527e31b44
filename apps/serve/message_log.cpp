#include "apps/serve/message_log.hpp"

#include "broker/memory_log.hpp"
#include "storage/messages_log.hpp"

namespace iotsky::apps {
namespace {

OpenedLog in_memory(const std::filesystem::path& messages) {
    OpenedLog opened;
    opened.log = std::make_unique<broker::MemoryLog>(broker::MemoryLog::Options{},
                                                     std::vector<broker::Waker*>{});
    if (std::filesystem::exists(messages)) {
        opened.warnings.push_back(make_error(
            Errc::conflict, "E5306", "The sessions and messages in messages.db are not used.",
            "durability.mode is \"memory\"; what was kept before stays in the file as it is.",
            "Set durability.mode = \"durable\" to go on with them, or delete messages.db*."));
    }
    return opened;
}

}  // namespace

Result<OpenedLog> open_message_log(const DurabilityOptions& options,
                                   const std::filesystem::path& folder, WallTime now) {
    const std::filesystem::path messages = folder / "messages.db";
    if (options.mode == DurabilityMode::memory) {
        return in_memory(messages);
    }
    storage::MessagesOptions wanted;
    wanted.path = messages;
    wanted.durability = options.mode == DurabilityMode::durable ? storage::Durability::durable
                                                                : storage::Durability::relaxed;
    wanted.batch_wait_max = options.batch_wait_max;
    wanted.retry_every = options.retry_every;
    wanted.wal_reserve_bytes = options.wal_reserve_bytes;
    IOTSKY_TRY(log, storage::MessagesLog::open(std::move(wanted), now));
    OpenedLog opened;
    opened.warnings = log->warnings();
    opened.snapshot = [disk = log.get()] { return disk->snapshot(); };
    opened.log = std::move(log);
    return opened;
}

std::string_view to_string(DurabilityMode mode) noexcept {
    switch (mode) {
        case DurabilityMode::durable:
            return "durable";
        case DurabilityMode::relaxed:
            return "relaxed";
        case DurabilityMode::memory:
            break;
    }
    return "memory";
}

std::string durability_meaning(const DurabilityOptions& options) {
    switch (options.mode) {
        case DurabilityMode::durable:
            return "on disk: neither a crash nor a power cut loses it";
        case DurabilityMode::relaxed:
            return "in memory, and on disk within " +
                   std::to_string(options.batch_wait_max.count()) + " ms (" +
                   std::to_string(storage::MessagesLog::kRelaxedBound.count()) +
                   " ms on a slow disk): a crash may lose so much";
        case DurabilityMode::memory:
            break;
    }
    return "in memory: sessions, retained messages and queues end with the process";
}

}  // namespace iotsky::apps
