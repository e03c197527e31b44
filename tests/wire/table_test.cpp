#include "tests/wire/table.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <stdexcept>

#include "tests/support/mqtt_text.hpp"

using namespace iotsky;
using namespace iotsky::wire;

namespace {

std::vector<Conversation> parse(const std::string& text) {
    std::istringstream in(text);
    return parse_table(in, "t.txt", "u");
}

std::string refusal(const std::string& text) {
    try {
        (void)parse(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_SUITE("wire.table") {
    TEST_CASE("a row is a conversation of one client") {
        const auto all =
            parse("# c\n\nfirst | pingreq | - | close\nsecond | C000 | ~ D000 | open\n");
        REQUIRE(all.size() == 2);
        CHECK(all[0].name == "first");
        CHECK(all[0].line == 3);
        REQUIRE(all[0].steps.size() == 2);
        CHECK(all[0].steps[0].op == Op::send);
        CHECK(all[0].steps[1].op == Op::expect_close);
        REQUIRE(all[1].steps.size() == 3);
        CHECK(all[1].steps[1].op == Op::expect_any);
        CHECK(all[1].steps[2].op == Op::expect_open);
    }

    TEST_CASE("what a row expects is in order up to '~' and in any order behind it") {
        const auto all = parse("x | C000 | connack ~ D000 D000 | open\n");
        REQUIRE(all[0].steps.size() == 4);
        CHECK(all[0].steps[1].op == Op::expect);
        CHECK(all[0].steps[1].packets.size() == 1);
        CHECK(all[0].steps[2].op == Op::expect_any);
        CHECK(all[0].steps[2].packets.size() == 2);
    }

    TEST_CASE("a block has a step a line, of any clients") {
        const auto all = parse(
            "= both\nA> pingreq\nA>1 pingreq\nBob< pingresp\nA~ pingresp\nA=\nA! close\n"
            "Bob! reset\nA|\n\nrow | C000 | - | open\n");
        REQUIRE(all.size() == 2);
        REQUIRE(all[0].steps.size() == 8);
        const Op ops[] = {Op::send,        Op::send_bytewise, Op::expect, Op::expect_any,
                          Op::expect_open, Op::close,         Op::reset,  Op::expect_close};
        for (std::size_t i = 0; i < 8; ++i) {
            CAPTURE(i);
            CHECK(all[0].steps[i].op == ops[i]);
        }
        CHECK(all[0].steps[2].client == "Bob");
        CHECK(all[0].steps[3].line == 5);
    }

    TEST_CASE("'%' differs from one conversation to the next") {
        const auto all = parse("one | connect(id=%) | - | open\ntwo | connect(id=%) | - | open\n");
        CHECK(test::hex(all[0].steps[0].packets[0].bytes) !=
              test::hex(all[1].steps[0].packets[0].bytes));
    }

    TEST_CASE("an identifier is received before it is sent") {
        CHECK(refusal("= x\nA< publish(topic=a,qos=1,id=$p)\nA> puback(id=$p)\n").empty());
        CHECK(refusal("= x\nA> puback(id=$p)\n").starts_with("t.txt:2: "));
        CHECK_FALSE(refusal("= x\nA< puback(id=?)\nA> puback(id=?)\n").empty());
    }

    TEST_CASE("mistakes are refused with their line") {
        CHECK(refusal("a | C000 | - | open\nb | C000 | -\n").starts_with("t.txt:2: "));
        CHECK(refusal("a | C000 | - | maybe\n").starts_with("t.txt:1: "));
        CHECK(refusal("a | | - | open\n").starts_with("t.txt:1: "));
        CHECK(refusal("= a\nA> what\n").starts_with("t.txt:2: "));
        CHECK(refusal("= a\nA hello\n").starts_with("t.txt:2: "));
        CHECK(refusal("= a\nA! leave\n").starts_with("t.txt:2: "));
        CHECK(refusal("= a\nA= C000\n").starts_with("t.txt:2: "));
        CHECK(refusal("a | C000 | D0 00 | open\n").starts_with("t.txt:1: "));
        CHECK_FALSE(refusal("= a\n\n= b\nA=\n").empty());
        CHECK_FALSE(refusal("a | C000 | - | open\na | C000 | - | open\n").empty());
    }
}
