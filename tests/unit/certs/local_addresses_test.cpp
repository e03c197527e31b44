#include "certs/local_addresses.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using iotsky::certs::LocalAddress;

TEST_SUITE("certs.local_addresses") {
    TEST_CASE("global addresses come first, loopback last, and each once") {
        const auto sorted = iotsky::certs::sorted_addresses({{"::1", "lo", true, false},
                                                             {"fe80::1", "wlan0", false, true},
                                                             {"fd00::5", "eth0", false, false},
                                                             {"127.0.0.1", "lo", true, false},
                                                             {"10.20.0.5", "eth0", false, false},
                                                             {"fe80::1", "eth0", false, true}});
        CHECK(address_texts(sorted) ==
              std::vector<std::string>{"10.20.0.5", "fd00::5", "fe80::1", "127.0.0.1", "::1"});
        CHECK(sorted[2].interface == "eth0");
    }

    TEST_CASE("this machine has a loopback address, and none has a zone") {
        const auto found = iotsky::certs::local_addresses().value();
        CHECK(std::any_of(found.begin(), found.end(), [](const LocalAddress& address) {
            return address.text == "127.0.0.1" && address.loopback && !address.link_local;
        }));
        for (const LocalAddress& address : found) {
            CAPTURE(address.text);
            CHECK(address.text.find('%') == std::string::npos);
            CHECK_FALSE(address.interface.empty());
        }
    }
}
