#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/random.hpp"

namespace iotsky {

/// A 128-bit random identifier of a registry object. Text form: a prefix that names the kind and 26
/// characters of Crockford's base 32, e.g. "th_01J8Z3K4M5N6P7Q8R9S0T1V2W3".
struct Id {
    std::array<std::uint8_t, 16> bytes{};

    [[nodiscard]] static Id random(Random& random);
    /// `prefix` without the underscore, e.g. "th"; must match, else nullopt.
    [[nodiscard]] static std::optional<Id> parse(std::string_view prefix, std::string_view text);
    [[nodiscard]] std::string format(std::string_view prefix) const;
    [[nodiscard]] bool is_nil() const noexcept { return *this == Id{}; }

    friend auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace iotsky

template <>
struct std::hash<iotsky::Id> {
    /// The bytes are random already.
    std::size_t operator()(const iotsky::Id& id) const noexcept;
};
