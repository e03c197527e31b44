#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace iotsky::apps {

/// Tells systemd how the service is: "READY=1", "STOPPING=1", "STATUS=...". Nothing happens without
/// NOTIFY_SOCKET. Thread: any. Never waits.
void notify_systemd(std::string_view state) noexcept;

/// How often systemd wants "WATCHDOG=1" (half of WATCHDOG_USEC); nullopt when it does not watch us.
[[nodiscard]] std::optional<std::chrono::milliseconds> watchdog_interval() noexcept;

}  // namespace iotsky::apps
