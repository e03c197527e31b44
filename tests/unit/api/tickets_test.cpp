#include "api/bundle/tickets.hpp"

#include <doctest/doctest.h>

#include "tests/unit/api/bundle_support.hpp"
#include "tests/unit/api/installation.hpp"

namespace iotsky::api {

TEST_SUITE("api.tickets") {
    TEST_CASE("a ticket opens one thing's bundle, once, for ten minutes") {
        ManualClock clock;
        SystemRandom random;
        BundleTickets tickets{clock, random};
        const std::string ticket = tickets.put("th_1", bundle_input());
        CHECK_FALSE(tickets.take("th_2", ticket).has_value());
        CHECK_FALSE(tickets.take("th_1", "").has_value());
        const auto bundle = tickets.take("th_1", ticket);
        REQUIRE(bundle.has_value());
        CHECK(bundle->private_key_pem.view() == bundle_input().private_key_pem.view());
        CHECK_FALSE(tickets.take("th_1", ticket).has_value());
        const std::string late = tickets.put("th_1", bundle_input());
        clock.advance(std::chrono::minutes{10});
        CHECK_FALSE(tickets.take("th_1", late).has_value());
    }

    TEST_CASE("there are never more than the limit: the oldest goes") {
        ManualClock clock;
        SystemRandom random;
        BundleTickets tickets{clock, random, {std::chrono::minutes{10}, 2}};
        const std::string first = tickets.put("th_1", bundle_input());
        clock.advance(std::chrono::seconds{1});
        const std::string second = tickets.put("th_1", bundle_input());
        clock.advance(std::chrono::seconds{1});
        const std::string third = tickets.put("th_1", bundle_input());
        CHECK_FALSE(tickets.take("th_1", first).has_value());
        CHECK(tickets.take("th_1", second).has_value());
        CHECK(tickets.take("th_1", third).has_value());
    }
}

}  // namespace iotsky::api
