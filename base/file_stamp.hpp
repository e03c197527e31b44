#pragma once

#include <string>

#include "base/clock.hpp"

namespace iotsky {

/// A time as part of a file's name, "20261124T090711Z": sorts, and no character that a shell minds.
/// Thread: any (pure).
[[nodiscard]] std::string file_stamp(WallTime time);

}  // namespace iotsky
