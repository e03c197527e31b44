#pragma once

#include <span>
#include <string>
#include <string_view>

/// The pages behind the numbers of errors (docs/errors/*.md, embedded at build time).
namespace iotsky::apps {

struct HelpPage {
    std::string_view number;  ///< "E3101", "W1147"
    std::string_view title;
    std::string_view text;  ///< Markdown: what it means, why, how to mend it
};

/// All pages, in the order of their numbers' digits.
[[nodiscard]] std::span<const HelpPage> help_pages();
/// The page of "E3101", also written "e3101" or "3101"; null if there is none.
[[nodiscard]] const HelpPage* find_page(std::string_view number);

}  // namespace iotsky::apps
