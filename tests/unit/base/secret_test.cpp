#include "base/secret.hpp"

#include <doctest/doctest.h>

#include <utility>

using iotsky::SecretString;

TEST_SUITE("base.secret") {
    TEST_CASE("taking a string over leaves nothing in it, short or long") {
        for (const std::size_t length : {std::size_t{5}, std::size_t{500}}) {
            CAPTURE(length);
            std::string text(length, 'k');
            const char* old = text.data();
            const SecretString secret = SecretString::take(std::move(text));
            CHECK(secret.view() == std::string(length, 'k'));
            CHECK(text.empty());        // NOLINT(bugprone-use-after-move)
            CHECK(text.data() == old);  // the same buffer,
            CHECK(std::string(old, length).find('k') == std::string::npos);  // now without the key
        }
    }

    TEST_CASE("a secret that was moved from is empty") {
        SecretString first{"passphrase"};
        SecretString second{std::move(first)};
        CHECK(second.view() == "passphrase");
        CHECK(first.empty());  // NOLINT(bugprone-use-after-move)
        first = std::move(second);
        CHECK(first.view() == "passphrase");
        CHECK(second.view().empty());  // NOLINT(bugprone-use-after-move)
        CHECK(first.clone().view() == "passphrase");
    }
}
