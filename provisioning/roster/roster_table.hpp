#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace iotsky::provisioning {

/// One pupil as the file says it. A wrong row carries its problem and is skipped.
struct RosterEntry {
    std::size_t line = 0;  ///< in the file, from 1
    std::string name;      ///< real name; empty when the file has pseudonyms only
    std::string pseudonym;
    std::string project;
    std::string problem_number;  ///< "E2126"; empty: none
    std::string problem;
};

/// Which columns were taken for what; the header's own words, or "column 2" without a header.
struct RosterColumns {
    std::optional<std::string> name;
    std::optional<std::string> pseudonym;
    std::optional<std::string> project;
};

struct RosterTable {
    RosterColumns columns;
    std::vector<RosterEntry> entries;
};

/// Reads a roster: header guessed (English and German words, first and last name in two columns
/// are put together), column order free; without a header the first column is the name.
/// Errors: E2122-E2125 of the file; E2127 no column could be taken for a name or a pseudonym.
/// Thread: any (pure).
[[nodiscard]] Result<RosterTable> parse_roster(std::string_view bytes);

}  // namespace iotsky::provisioning
