#include "api/base64.hpp"

#include <doctest/doctest.h>

namespace iotsky::api {

TEST_SUITE("api.base64") {
    TEST_CASE("the vectors of RFC 4648 section 10 go there and back") {
        struct Row {
            std::string bytes;
            std::string text;
        };
        const Row rows[] = {{"", ""},
                            {"f", "Zg=="},
                            {"fo", "Zm8="},
                            {"foo", "Zm9v"},
                            {"foob", "Zm9vYg=="},
                            {"fooba", "Zm9vYmE="},
                            {"foobar", "Zm9vYmFy"},
                            {std::string("\0\xff", 2), "AP8="}};
        for (const Row& row : rows) {
            CAPTURE(row.text);
            CHECK(base64_encode(row.bytes) == row.text);
            CHECK(base64_decode(row.text) == row.bytes);
        }
    }

    TEST_CASE("what is no base 64 is refused") {
        for (const char* text : {"Z", "Zg", "Zg=", "Z===", "Zg== ", "Zm9\n", "Zm-_", "=Zg="}) {
            CAPTURE(text);
            CHECK_FALSE(base64_decode(text).has_value());
        }
    }
}

}  // namespace iotsky::api
