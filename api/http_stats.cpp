#include "api/http_stats.hpp"

namespace iotsky::api {

void HttpStats::record(std::string_view route, std::string_view method, unsigned status,
                       std::chrono::nanoseconds took) {
    seconds_.record_ns(static_cast<std::uint64_t>(took.count()));
    const LockGuard lock{mutex_};
    ++counts_[{route, method, status}];
}

std::vector<HttpStats::Row> HttpStats::rows() const {
    const LockGuard lock{mutex_};
    std::vector<Row> out;
    out.reserve(counts_.size());
    for (const auto& [key, count] : counts_) {
        out.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), count});
    }
    return out;
}

}  // namespace iotsky::api
