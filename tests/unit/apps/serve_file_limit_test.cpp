#include "apps/serve/file_limit.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <string>

using namespace iotsky;

namespace {

rlimit files() {
    rlimit limit{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
    return limit;
}

/// Gives this process back the soft limit that it had.
struct Fixture {
    const rlimit before = files();

    explicit Fixture(rlim_t soft) {
        const rlimit low{soft, before.rlim_max};
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    }
    ~Fixture() { ::setrlimit(RLIMIT_NOFILE, &before); }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;
};

}  // namespace

TEST_SUITE("apps.file_limit") {
    TEST_CASE("the limit of open files goes up to what connections and requests need") {
        const Fixture low{200};
        CHECK_FALSE(apps::raise_file_limit(100, 300).has_value());
        CHECK(files().rlim_cur >= 400);
    }

    TEST_CASE("a limit that is high enough stays") {
        const Fixture high{500};
        CHECK_FALSE(apps::raise_file_limit(100, 100).has_value());
        CHECK(files().rlim_cur == 500);
    }

    TEST_CASE("more than the system allows is told with what there is room for") {
        const Fixture low{200};
        const auto few =
            apps::raise_file_limit(4'000'000'000, 1);  // the kernel's own limit is lower
        REQUIRE(few.has_value());
        CHECK(few->number == "W1108");
        CHECK(few->message.find("not for 4000000000") != std::string::npos);
        CHECK(files().rlim_cur == files().rlim_max);
    }
}
