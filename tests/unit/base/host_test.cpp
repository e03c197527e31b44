#include "base/host.hpp"

#include <doctest/doctest.h>

using namespace iotsky;

TEST_SUITE("base.host") {
    TEST_CASE("the name of a host is told apart from its port") {
        CHECK(host_name("localhost") == "localhost");
        CHECK(host_name("LocalHost:9880") == "localhost");
        CHECK(host_name("localhost.") == "localhost");
        CHECK(host_name("127.0.0.1:9880") == "127.0.0.1");
        CHECK(host_name("[::1]:9880") == "::1");
        CHECK(host_name("[::1]") == "::1");
        CHECK(host_name("[::1").empty());
        CHECK(host_name("[::1]x").empty());
        CHECK(host_name("localhost:evil").empty());
        CHECK(host_name("::1").empty());
    }
    TEST_CASE("addresses are told apart from names") {
        for (const char* address : {"127.0.0.1", "10.20.0.5", "::1", "2001:db8::5"}) {
            CHECK(is_address(address));
        }
        for (const std::string_view name :
             {std::string_view{""}, std::string_view{"localhost"}, std::string_view{"[::1]"},
              std::string_view{"10.20.0"}, std::string_view{"10.0.0.1:80"},
              std::string_view{"10.0.0.1\0x", 10}}) {
            CHECK_FALSE(is_address(name));
        }
    }
    TEST_CASE("only what cannot leave this machine is loopback") {
        for (const char* name : {"localhost", "::1", "127.0.0.1", "127.8.9.1"}) {
            CHECK(is_loopback(name));
        }
        for (const char* name :
             {"", "127.evil.example", "localhost.evil.example", "128.0.0.1", "::2", "0.0.0.0"}) {
            CHECK_FALSE(is_loopback(name));
        }
    }
}
