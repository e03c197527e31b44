#include "apps/help/pages.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>

using namespace iotsky::apps;

namespace {

/// Numbers of the form "E1234" or "W1234" in string literals of a source text.
void collect(const std::string& text, std::set<std::string>& out) {
    for (std::size_t at = 0; at + 7 <= text.size(); ++at) {
        const bool quoted =
            text[at] == '"' && text[at + 6] == '"' && (text[at + 1] == 'E' || text[at + 1] == 'W');
        bool digits = quoted;
        for (std::size_t i = at + 2; digits && i < at + 6; ++i) {
            digits = std::isdigit(static_cast<unsigned char>(text[i])) != 0;
        }
        if (digits) {
            out.insert(text.substr(at + 2, 4));
        }
    }
}

std::set<std::string> numbers_in_sources() {
    std::set<std::string> numbers;
    for (const char* folder :
         {"acl", "api", "apps", "base", "broker", "certs", "provisioning", "services", "storage"}) {
        const std::filesystem::path root = std::filesystem::path{IOTSKY_SOURCE_DIR} / folder;
        for (const auto& entry : std::filesystem::recursive_directory_iterator{root}) {
            const std::string kind = entry.path().extension().string();
            if (kind == ".cpp" || kind == ".hpp") {
                std::ifstream in{entry.path(), std::ios::binary};
                collect({std::istreambuf_iterator<char>{in}, {}}, numbers);
            }
        }
    }
    return numbers;
}

}  // namespace

TEST_SUITE("apps.help") {
    TEST_CASE("every number of an error has a page, and every page a number in the sources") {
        std::set<std::string> pages;
        for (const HelpPage& page : help_pages()) {
            CAPTURE(page.number);
            CHECK(pages.insert(std::string{page.number.substr(1)}).second);
        }
        const std::set<std::string> used = numbers_in_sources();
        REQUIRE(used.size() > 100);
        for (const std::string& number : used) {
            CHECK_MESSAGE(pages.contains(number), "no page in docs/errors/ for ", number);
        }
        for (const std::string& number : pages) {
            CHECK_MESSAGE(used.contains(number), "no source uses ", number);
        }
    }

    TEST_CASE("every page says what happened and what helps") {
        for (const HelpPage& page : help_pages()) {
            CAPTURE(page.number);
            CHECK((page.number[0] == 'E' || page.number[0] == 'W'));
            CHECK_FALSE(page.title.empty());
            CHECK(page.text.size() > 30);
            CHECK(page.text.find("\n#") == std::string_view::npos);
        }
    }
}
