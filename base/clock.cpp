#include "base/clock.hpp"

#include <cstdio>
#include <ctime>

namespace iotsky {

TimePoint SystemClock::now() const noexcept {
    return std::chrono::steady_clock::now();
}
WallTime SystemClock::wall_now() const noexcept {
    return std::chrono::system_clock::now();
}

std::string format_utc(WallTime time, bool milliseconds) {
    const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
    const std::time_t unix_s = seconds.count();
    std::tm parts{};
    gmtime_r(&unix_s, &parts);
    char text[40];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    std::string out(text, length);
    if (milliseconds) {
        std::snprintf(text, sizeof text, ".%03d",
                      static_cast<int>((since_epoch - seconds).count()));
        out += text;
    }
    return out + "Z";
}

std::int64_t to_unix_s(WallTime time) noexcept {
    return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

WallTime from_unix_s(std::int64_t seconds) noexcept {
    return WallTime{std::chrono::seconds{seconds}};
}

}  // namespace iotsky
