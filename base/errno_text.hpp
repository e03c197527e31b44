#pragma once

#include <string>
#include <system_error>

namespace iotsky {

/// What an `errno` means in the system's words ("No such file or directory"). Unlike std::strerror
/// it may be called by any thread.
[[nodiscard]] inline std::string errno_text(int number) {
    return std::generic_category().message(number);
}

}  // namespace iotsky
