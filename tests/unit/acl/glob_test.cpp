#include "acl/glob.hpp"

#include <doctest/doctest.h>

#include "acl/filter_shape.hpp"

using namespace iotsky::acl;

namespace {

Tokens tokens(std::string_view pattern) {
    Tokens out;
    for (const char c : pattern) {
        out.push_back(c == '*' ? kAnyRun : c == '?' ? kAnyOne : static_cast<unsigned char>(c));
    }
    return out;
}

bool matches(std::string_view pattern, std::string_view text) {
    return Glob(tokens(pattern)).matches(text);
}

bool covered(std::string_view pattern, std::string_view filter) {
    bool all = true;
    for (const Shape& shape : shapes_of(filter)) {
        all = all && covers(Glob(tokens(pattern)), shape);
    }
    return all;
}

bool overlap(std::string_view pattern, std::string_view filter) {
    bool any = false;
    for (const Shape& shape : shapes_of(filter)) {
        any = any || may_overlap(Glob(tokens(pattern)), shape);
    }
    return any;
}

}  // namespace

TEST_SUITE("acl.glob") {
    TEST_CASE("* is any run, slashes included, ? exactly one character") {
        CHECK(matches("", ""));
        CHECK_FALSE(matches("", "a"));
        CHECK(matches("a/b", "a/b"));
        CHECK_FALSE(matches("a/b", "a/B"));
        CHECK(matches("*", ""));
        CHECK(matches("a/*", "a/"));
        CHECK(matches("a/*", "a/b/c"));
        CHECK_FALSE(matches("a/*", "a"));
        CHECK(matches("*/c", "a/b/c"));
        CHECK(matches("a*b*c", "aXbXbXc"));
        CHECK_FALSE(matches("a*b*c", "aXcXb"));
        CHECK(matches("*ab", "aab"));
        CHECK(matches("a?c", "abc"));
        CHECK(matches("a?c", "a/c"));
        CHECK_FALSE(matches("a?c", "ac"));
        CHECK_FALSE(matches("a?", "a"));
        CHECK(matches("?*", "a"));
        CHECK_FALSE(matches("?*", ""));
        CHECK(matches("a**", "a"));
    }

    TEST_CASE("? takes a whole character of UTF-8, never half of one") {
        CHECK(matches("?", "\xc3\xbc"));
        CHECK(matches("a?b",
                      "a\xe2\x82\xac"
                      "b"));
        CHECK_FALSE(matches("??", "\xc3\xbc"));
        CHECK_FALSE(matches("*??", "\xe2\x82\xac"));
        CHECK(matches("*?", "\xe2\x82\xac"));
    }

    TEST_CASE("signs of MQTT are plain characters in a pattern") {
        CHECK(matches("a/#", "a/#"));
        CHECK_FALSE(matches("a/#", "a/b"));
        CHECK(matches("a/+", "a/+"));
        CHECK_FALSE(matches("a/+", "a/b"));
        CHECK(matches("a/*", "a/#"));
        CHECK(matches("a/*", "a/+/x"));
    }

    TEST_CASE("a tree is its root and what is below, not what begins alike") {
        const Glob tree = Glob::tree("7b/otter");
        CHECK(tree.matches("7b/otter"));
        CHECK(tree.matches("7b/otter/x"));
        CHECK(tree.matches("7b/otter/#"));
        CHECK_FALSE(tree.matches("7b/otters"));
        CHECK_FALSE(tree.matches("7b/otte"));
        CHECK_FALSE(tree.matches("7b"));
        CHECK(tree.text() == "7b/otter/#");
    }

    TEST_CASE("what is left behind a prefix matches the same") {
        const auto rest = [](std::string_view pattern) {
            std::string out;
            for (const Tokens& one : behind_prefix(tokens(pattern), "topic/")) {
                out += "[" + Glob(one).text() + "]";
            }
            return out;
        };
        CHECK(rest("topic/a*") == "[a*]");
        CHECK(rest("topic/") == "[]");
        CHECK(rest("topicfilter/a") == "");
        CHECK(rest("*") == "[*]");
        CHECK(rest("top*") == "[*]");
        CHECK(rest("*/a") == "[*/a][a]");
        CHECK(rest("topic?a") == "[a]");
        CHECK(rest("t?pic/?") == "[?]");
        CHECK(rest("client/*") == "");
    }

    TEST_CASE("many stars do not make it slow") {
        std::string pattern;
        for (int i = 0; i < 50; ++i) {
            pattern += "*a";
        }
        CHECK_FALSE(matches(pattern + "b", std::string(20'000, 'a')));
    }

    TEST_CASE("a pattern covers a filter only when every topic of it matches") {
        CHECK(covered("*", "#"));
        CHECK(covered("a/*", "a/b/+/c"));
        CHECK(covered("a*", "a/#"));
        CHECK_FALSE(covered("a/*", "a/#"));  // "a/#" matches "a" as well
        CHECK(covered("a/b/*", "a/b/c/#"));
        CHECK_FALSE(covered("a/b*", "a/+"));
        CHECK(covered("a/*/c", "a/+/c"));
        CHECK_FALSE(covered("a/*/c", "a/+/d"));
        CHECK_FALSE(covered("a/?", "a/+"));
        CHECK(covered("a/b", "a/b"));
        CHECK_FALSE(covered("*b", "#"));
        CHECK(covered("*/x", "+/x"));
    }

    TEST_CASE("overlap is missed for no topic, and not claimed for plainly different ones") {
        CHECK(overlap("a/secret/*", "a/#"));
        CHECK(overlap("a/secret/x", "a/+/x"));
        CHECK_FALSE(overlap("a/secret/x", "a/+"));  // "+" is one level
        CHECK_FALSE(overlap("b/*", "a/#"));
        CHECK(overlap("a", "a/#"));
        CHECK_FALSE(overlap("ab", "a/#"));
        CHECK(overlap("?", "+"));
        CHECK(overlap("\xc3\xbc?", "\xc3\xbc/#") == true);
        CHECK(overlap("?/x", "\xe2\x82\xac/x"));
        CHECK_FALSE(overlap("a/b/c", "a/b"));
    }
}
