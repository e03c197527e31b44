#include "broker/net/byte_stash.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

using iotsky::net::ByteStash;

namespace {
void put(ByteStash& stash, std::string_view text) {
    stash.append(std::as_bytes(std::span{text}));
}
std::string text(const ByteStash& stash) {
    const auto view = stash.view();
    return {reinterpret_cast<const char*>(view.data()), view.size()};
}
}  // namespace

TEST_SUITE("net.byte_stash") {
    TEST_CASE("it costs what it holds, and nothing when empty") {
        ByteStash stash;
        CHECK(stash.capacity() == 0);
        put(stash, "1234567");
        CHECK(stash.capacity() == 7);
        stash.consume(7);
        CHECK(stash.empty());
        CHECK(stash.capacity() == 0);
    }
    TEST_CASE("bytes leave in the order in which they came") {
        ByteStash stash;
        put(stash, "abc");
        stash.consume(2);
        put(stash, "def");
        put(stash, "");
        CHECK(text(stash) == "cdef");
        stash.consume(3);
        put(stash, "g");
        CHECK(text(stash) == "fg");
    }
}
