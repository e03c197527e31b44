#include "base/text.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace iotsky;

TEST_SUITE("base.text") {
    TEST_CASE("what a peer chose cannot break a log line") {
        CHECK(escape("a/b") == "a/b");
        CHECK(escape("a\nb") == "a\\x0ab");
        CHECK(escape("say \"hi\"\\") == "say \\x22hi\\x22\\x5c");
        CHECK(escape("\x1b[31m") == "\\x1b[31m");
        CHECK(escape("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
        CHECK(escape("\xc2\x85") == "\\xc2\\x85");           // U+0085, a control character
        CHECK(escape("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
        CHECK(escape("\xc3") == "\\xc3");
        CHECK(escape(std::string(300, 'x'), 4) == "xxxx...");
    }

    TEST_CASE("the front of a text is one UTF-8 sequence or none") {
        CHECK(utf8_length("ab") == 1);
        CHECK(utf8_length("\xc3\xbc-") == 2);
        CHECK(utf8_length("\xf0\x9f\xa6\xa6") == 4);
        CHECK(utf8_length("") == 0);
        CHECK(utf8_length("\xbc") == 0);
        CHECK(utf8_length("\xc0\x80") == 0);          // overlong
        CHECK(utf8_length("\xed\xa0\x80") == 0);      // a surrogate
        CHECK(utf8_length("\xf4\x90\x80\x80") == 0);  // above U+10FFFF
    }

    TEST_CASE("the nearest name is offered, a far one is not") {
        const std::array<std::string, 3> known{"weather", "door", "listener"};
        CHECK(nearest("wheather", known) == "weather");
        CHECK(nearest("listner", known) == "listener");
        CHECK(nearest("zzzzzz", known).empty());
    }

    TEST_CASE("names are 1 to 40 of the allowed characters") {
        CHECK(is_valid_name("7b"));
        CHECK(is_valid_name(std::string(40, 'a')));
        CHECK_FALSE(is_valid_name(std::string(41, 'a')));
        CHECK_FALSE(is_valid_name(""));
        CHECK_FALSE(is_valid_name("a/b"));
        CHECK_FALSE(is_valid_name("\xc3\xbc"));
    }

    TEST_CASE("split keeps empty parts") {
        CHECK(split("a//b", '/').size() == 3);
        CHECK(split("", '/').size() == 1);
        CHECK(split("/", '/').size() == 2);
    }
}
