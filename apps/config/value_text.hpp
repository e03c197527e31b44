#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apps/config/setting.hpp"

/// Values of the configuration as text. Thread: any (pure).
namespace iotsky::apps {

/// "4096", "32KiB", "64 MiB", "1GiB" to bytes; nullopt for anything else, also for what does not
/// fit.
[[nodiscard]] std::optional<std::int64_t> parse_size(std::string_view text);
/// "200ms", "5s", "10min", "24h", "7d" to milliseconds; nullopt for anything else. A unit is a
/// must.
[[nodiscard]] std::optional<std::int64_t> parse_duration_ms(std::string_view text);

/// "32KiB": the largest unit that divides.
[[nodiscard]] std::string format_size(std::int64_t bytes);
[[nodiscard]] std::string format_duration_ms(std::int64_t milliseconds);

/// As TOML writes it: true, 100, "32KiB", ["a", "b"].
[[nodiscard]] std::string format_toml(const Value& value, Kind kind);
/// A TOML basic string with quotes and escapes.
[[nodiscard]] std::string quote_toml(std::string_view text);

}  // namespace iotsky::apps
