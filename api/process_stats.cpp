#include "api/process_stats.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace iotsky::api {
namespace {

namespace fs = std::filesystem;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void add_memory(ProcessStats& out) {
    std::ifstream file{"/proc/self/statm"};
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    file >> total >> resident;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    out.virtual_bytes = total * page;
    out.resident_bytes = resident * page;
}

/// Boot time plus the process's age at its start; see proc(5).
double start_time_s() {
    std::ifstream boot{"/proc/stat"};
    double booted = 0;
    for (std::string word; boot >> word;) {
        if (word == "btime") {
            boot >> booted;
            break;
        }
    }
    std::ifstream self{"/proc/self/stat"};
    std::string text;
    std::getline(self, text);
    // The name, in brackets, may hold anything; 22 is the start in clock ticks.
    std::istringstream rest{text.substr(std::min(text.rfind(')') + 1, text.size()))};
    std::string field;
    for (int number = 3; number <= 22; ++number) {
        rest >> field;
    }
    return booted +
           std::strtod(field.c_str(), nullptr) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t open_descriptors() {
    std::error_code error;
    std::uint64_t count = 0;
    for (fs::directory_iterator entry{"/proc/self/fd", error}; !error && entry != fs::end(entry);
         entry.increment(error)) {
        ++count;
    }
    return count > 0 ? count - 1 : 0;  // without the one that reads the folder
}

}  // namespace

ProcessStats process_stats() {
    ProcessStats out;
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) == 0) {
        out.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        out.descriptors_max = limit.rlim_cur;
    }
    add_memory(out);
    static const double start_s = start_time_s();  // two files, one of them long on a big machine
    out.start_s = start_s;
    out.open_descriptors = open_descriptors();
    return out;
}

std::uint64_t store_bytes(const std::string& folder, std::string_view file) {
    std::uint64_t total = 0;
    for (const char* suffix : {"", "-wal"}) {
        std::error_code error;
        const auto bytes = fs::file_size(fs::path{folder} / (std::string{file} + suffix), error);
        total += error ? 0 : bytes;
    }
    return total;
}

std::uint64_t disk_free_bytes(const std::string& folder) {
    std::error_code error;
    const fs::space_info space = fs::space(folder.empty() ? "." : folder, error);
    return error ? 0 : space.available;
}

}  // namespace iotsky::api
