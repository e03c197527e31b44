#include "api/process_stats.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace iotsky::api {
namespace {

namespace fs = std::filesystem;

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

std::uint64_t resident_bytes() {
    std::ifstream file{"/proc/self/statm"};
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
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
    out.resident_bytes = resident_bytes();
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
