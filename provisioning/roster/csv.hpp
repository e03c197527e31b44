#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace iotsky::provisioning {

/// One line of a table; empty lines are left out.
struct CsvRow {
    std::size_t line = 0;            ///< in the file, from 1; of its first character
    std::vector<std::string> cells;  ///< UTF-8, without blanks at both ends
};

struct CsvTable {
    char separator = ',';
    std::vector<CsvRow> rows;
};

struct CsvLimits {
    std::size_t bytes_max = 5 * 1024 * 1024;
    std::size_t rows_max = 1001;  ///< 1000 and a header
    std::size_t cells_max = 64;   ///< in one row
};

/// Reads a table as spreadsheets write it: separator `,` `;` tab or `|` (the one that the first
/// line has most of), quotes as in RFC 4180, any line ending, UTF-8 with or without a mark in
/// front, else Windows-1252.
/// Errors: E2122 too long, E2123 too many rows, E2124 a quote without its end (with the line),
/// E2125 another encoding or no text at all. Thread: any (pure). Cost: linear.
[[nodiscard]] Result<CsvTable> parse_csv(std::string_view bytes, const CsvLimits& limits = {});

/// One cell for writing: quoted where needed, and with ' in front of = + - @ tab, so that no
/// spreadsheet takes a name for a formula.
[[nodiscard]] std::string csv_cell(std::string_view text);

}  // namespace iotsky::provisioning
