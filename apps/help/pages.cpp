#include "apps/help/pages.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace iotsky::apps {

/// The texts of docs/errors/*.md, one after the other; made by cmake/EmbedText.cmake.
extern const std::string_view kErrorPages;

namespace {

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of('\n');
    const std::size_t last = text.find_last_not_of('\n');
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, last - first + 1);
}

/// Sections of the form "## E3101 Title\n\ntext"; what stands before the first one of a file is for
/// its readers.
std::vector<HelpPage> parse(std::string_view all) {
    constexpr std::string_view kMark = "\n## ";
    std::vector<HelpPage> pages;
    std::size_t at = all.find(kMark);
    while (at != std::string_view::npos) {
        at += kMark.size();
        const std::size_t line_end = all.find('\n', at);
        const std::size_t next = all.find(kMark, at);
        const std::string_view heading = all.substr(at, line_end - at);
        const std::size_t space = heading.find(' ');
        // A new file begins with "# "; its introduction is not a part of the page before.
        std::string_view body =
            all.substr(line_end, next == std::string_view::npos ? next : next - line_end);
        body = body.substr(0, body.find("\n# "));
        pages.push_back({heading.substr(0, space), heading.substr(space + 1), trimmed(body)});
        at = next;
    }
    std::stable_sort(pages.begin(), pages.end(), [](const HelpPage& a, const HelpPage& b) {
        return a.number.substr(1) < b.number.substr(1);
    });
    return pages;
}

}  // namespace

std::span<const HelpPage> help_pages() {
    static const std::vector<HelpPage> kPages = parse(kErrorPages);
    return kPages;
}

const HelpPage* find_page(std::string_view number) {
    if (!number.empty() && std::isalpha(static_cast<unsigned char>(number[0])) != 0) {
        number.remove_prefix(1);  // a warning and an error of one number have one page
    }
    const auto pages = help_pages();
    const auto at = std::find_if(pages.begin(), pages.end(), [&](const HelpPage& page) {
        return page.number.substr(1) == number;
    });
    return at == pages.end() ? nullptr : &*at;
}

}  // namespace iotsky::apps
