// Loaded in front of a program (LD_PRELOAD): its wall clock is off by IOTSKY_TEST_CLOCK_OFFSET_S
// seconds, so that the end of a day is near when a test needs one. Other clocks are left alone.
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdlib>

namespace {

time_t offset_s() {
    static const time_t offset = [] {
        const char* text = std::getenv("IOTSKY_TEST_CLOCK_OFFSET_S");
        return text == nullptr ? time_t{0} : static_cast<time_t>(std::atoll(text));
    }();
    return offset;
}

bool is_wall_clock(clockid_t clock) {
    return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* out) noexcept {
    const long result = ::syscall(SYS_clock_gettime, clock, out);
    if (result == 0 && is_wall_clock(clock)) {
        out->tv_sec += offset_s();
    }
    return static_cast<int>(result);
}

extern "C" time_t time(time_t* out) noexcept {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out != nullptr) {
        *out = now.tv_sec;
    }
    return now.tv_sec;
}

extern "C" int gettimeofday(timeval* out, void* /*zone*/) noexcept {
    timespec now{};
    const int result = clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return result;
}
