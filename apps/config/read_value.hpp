#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/config/setting.hpp"

/// From what a file or a variable holds to the value of a row.
namespace iotsky::apps {

/// What a row expects; the part of `Setting` that does not depend on its target.
struct Expected {
    std::string_view key;
    Kind kind;
    Range range;
    std::span<const std::string_view> words;
};

template <typename T>
[[nodiscard]] Expected expected(const Setting<T>& setting) {
    return {setting.key, setting.kind, setting.range, setting.words};
}

/// A refusal: which number, what, why, how.
struct Refused {
    std::string_view number;
    std::string what;
    std::string why;
    std::string how;
};

using ReadResult = std::variant<Value, Refused>;

/// What TOML knows of a value before its meaning is known.
using RawValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

/// Checks type and range. `folder` makes paths absolute. Thread: any (pure).
[[nodiscard]] ReadResult read_value(const Expected& expected, const RawValue& raw,
                                    const std::filesystem::path& folder);
/// The same from the text of a variable or flag.
[[nodiscard]] ReadResult read_text(const Expected& expected, std::string_view text,
                                   const std::filesystem::path& folder);

/// "an integer from 1 to 65535", "a duration from 100ms to 10min, like \"5s\"": for errors and the
/// documentation.
[[nodiscard]] std::string describe(const Expected& expected);

}  // namespace iotsky::apps
