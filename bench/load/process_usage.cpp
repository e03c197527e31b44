#include "bench/load/process_usage.hpp"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>

namespace iotsky::load {

ProcessUsage usage_of(int pid) {
    if (pid == 0) {
        return {};
    }
    std::ifstream file{"/proc/" + std::to_string(pid) + "/stat"};
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) {
        throw std::runtime_error("no process " + std::to_string(pid));
    }
    std::istringstream fields{text.substr(name_end + 2)};
    std::string skipped;
    for (int field = 3; field < 14; ++field) {  // proc(5) counts from 1; utime is the 14th
        fields >> skipped;
    }
    double user = 0;
    double system = 0;
    fields >> user >> system;
    for (int field = 16; field < 24; ++field) {  // rss is the 24th
        fields >> skipped;
    }
    std::uint64_t pages = 0;
    fields >> pages;
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    return {(user + system) / ticks * 1e6,
            pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE))};
}

int own_pid() noexcept {
    return ::getpid();
}

}  // namespace iotsky::load
