#include "base/id.hpp"

#include <doctest/doctest.h>

using iotsky::Id;

TEST_SUITE("base.id") {
    TEST_CASE("an id survives the way through its text") {
        iotsky::SeededRandom random(7);
        for (int i = 0; i < 200; ++i) {
            const Id id = Id::random(random);
            const std::string text = id.format("th");
            CAPTURE(text);
            CHECK(text.size() == 29);
            CHECK(Id::parse("th", text) == id);
        }
    }

    TEST_CASE("the text form keeps the order of bytes") {
        Id last;
        last.bytes[15] = 1;
        CHECK(last.format("th") == "th_00000000000000000000000001");
        Id high;
        high.bytes.fill(0xff);
        CHECK(high.format("th") == "th_7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    }

    TEST_CASE("what is not an id of that kind is refused") {
        for (const char* text :
             {"", "th_", "th_0000000000000000000000000", "th_000000000000000000000000011",
              "ce_00000000000000000000000001", "th_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
              "th_0000000000000000000000000U"}) {
            CAPTURE(text);
            CHECK_FALSE(Id::parse("th", text).has_value());
        }
    }
}
