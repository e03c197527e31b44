#include "api/peer.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace iotsky::api {

TEST_SUITE("api.peer") {
    TEST_CASE("root, the daemon's user and members of the group are trusted, nobody else") {
        const TrustedAccounts trusted{.own_uid = 990, .group_gid = 500, .has_group = true};
        CHECK(is_trusted({0, 0, {}}, trusted));
        CHECK(is_trusted({990, 990, {}}, trusted));
        CHECK(is_trusted({1000, 500, {}}, trusted));
        CHECK(is_trusted({1000, 1000, {4, 500}}, trusted));
        CHECK_FALSE(is_trusted({1000, 1000, {4, 501}}, trusted));
    }

    TEST_CASE("without such a group nobody is trusted for being in group 0") {
        const TrustedAccounts trusted{.own_uid = 990, .group_gid = 0, .has_group = false};
        CHECK_FALSE(is_trusted({1000, 0, {0}}, trusted));
    }

    TEST_CASE("the kernel says who is at the other end of a unix socket") {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
        const auto peer = peer_credentials(ends[0]);
        ::close(ends[0]);
        ::close(ends[1]);
        REQUIRE(peer.has_value());
        CHECK(peer->uid == ::geteuid());
        CHECK(peer->gid == ::getegid());
    }

    TEST_CASE("accounts are named for the audit log") {
        CHECK(account_name(0) == "root");
        CHECK(account_name(4'000'000'000U) == "uid 4000000000");
    }
}

}  // namespace iotsky::api
