#include "base/error.hpp"

#include <doctest/doctest.h>

using namespace iotsky;

namespace {
Result<int> half(int n) {
    if (n % 2 != 0) {
        return make_error(Errc::invalid_argument, "E0001", "odd", "halves are whole",
                          "take an even one");
    }
    return n / 2;
}
Result<int> quarter(int n) {
    IOTSKY_TRY(h, half(n));
    return half(h);
}
}  // namespace

TEST_SUITE("base.error") {
    TEST_CASE("IOTSKY_TRY hands the error up unchanged") {
        CHECK(quarter(8).value() == 2);
        const auto refused = quarter(6);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().number == "E0001");
        CHECK(format(refused.error()) == "E0001 odd\nhalves are whole\ntake an even one");
        CHECK(to_string(refused.error().code) == "invalid_argument");
    }
}
