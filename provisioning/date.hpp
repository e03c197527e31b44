#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace iotsky::provisioning {

/// A calendar day, as classes end on one. A class that ends on a day is open until that day is over
/// in UTC.
using Date = std::chrono::sys_days;

/// "2027-02-05"; nullopt for any other form and for days that do not exist.
[[nodiscard]] std::optional<Date> parse_date(std::string_view text);
[[nodiscard]] std::string format_date(Date date);

/// The first moment after `date`, UTC.
[[nodiscard]] WallTime end_of(Date date) noexcept;

}  // namespace iotsky::provisioning
