#include "base/metrics.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace iotsky;

TEST_SUITE("base.metrics") {
    TEST_CASE("a duration falls into the bucket whose bound it does not exceed") {
        Histogram h;
        h.record_ns(100'000);
        h.record_ns(100'001);
        h.record_ns(UINT64_C(3'600'000'000'000));
        CHECK(h.count(0) == 1);
        CHECK(h.count(1) == 1);
        CHECK(h.count(Histogram::kBuckets - 1) == 1);
        CHECK(std::isinf(Histogram::upper_s(Histogram::kBuckets - 1)));
        CHECK(Histogram::upper_s(1) == doctest::Approx(0.0002));
    }
}
