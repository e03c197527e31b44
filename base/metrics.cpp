#include "base/metrics.hpp"

#include <limits>

namespace iotsky {
namespace {
constexpr std::uint64_t kFirstUpperNs = 100'000;
}

void Histogram::record_ns(std::uint64_t ns) noexcept {
    std::size_t bucket = 0;
    for (std::uint64_t upper = kFirstUpperNs; bucket + 1 < kBuckets && ns > upper; upper *= 2) {
        ++bucket;
    }
    buckets_[bucket].add();
    sum_ns_.add(ns);
}

double Histogram::upper_s(std::size_t bucket) noexcept {
    if (bucket + 1 >= kBuckets) {
        return std::numeric_limits<double>::infinity();
    }
    return static_cast<double>(kFirstUpperNs << bucket) / 1e9;
}

}  // namespace iotsky
