#include "provisioning/roster/csv.hpp"

#include <algorithm>
#include <array>

#include "provisioning/roster/encoding.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::array<char, 4> kSeparators{',', ';', '\t', '|'};

Error too_large(std::string_view number, std::string what, std::string how) {
    return make_error(Errc::limit_exceeded, number, std::move(what),
                      "A roster has at most 1000 rows and 5 MB.", std::move(how));
}

/// The separator that the first line has most of, outside of quotes; a comma if it has none.
char guess_separator(std::string_view text) {
    std::array<std::size_t, kSeparators.size()> counts{};
    bool quoted = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
        }
        if (!quoted && (c == '\n' || c == '\r')) {
            break;
        }
        const auto found = std::find(kSeparators.begin(), kSeparators.end(), c);
        if (!quoted && found != kSeparators.end()) {
            ++counts[static_cast<std::size_t>(found - kSeparators.begin())];
        }
    }
    const auto most = std::max_element(counts.begin(), counts.end());
    return kSeparators[static_cast<std::size_t>(most - counts.begin())];
}

std::string trimmed(std::string_view text) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return std::string{text};
}

/// Takes cells off the front of the text.
class Scanner {
  public:
    Scanner(std::string_view text, char separator) : text_(text), separator_(separator) {}

    [[nodiscard]] bool at_end() const { return text_.empty(); }
    [[nodiscard]] std::size_t line() const { return line_; }

    /// One line's cells; `closed` is false when a quote never ends.
    [[nodiscard]] CsvRow row(bool& closed) {
        CsvRow row{line_, {}};
        closed = true;
        for (;;) {
            row.cells.push_back(cell(closed));
            if (!closed || text_.empty()) {
                return row;
            }
            const char c = text_.front();
            text_.remove_prefix(1);
            if (c == separator_) {
                continue;
            }
            if (c == '\r' && text_.starts_with('\n')) {
                text_.remove_prefix(1);
            }
            ++line_;
            return row;
        }
    }

  private:
    [[nodiscard]] bool ends_cell(char c) const { return c == separator_ || c == '\n' || c == '\r'; }

    [[nodiscard]] std::string plain() {
        const auto end =
            std::find_if(text_.begin(), text_.end(), [this](char c) { return ends_cell(c); });
        const auto length = static_cast<std::size_t>(end - text_.begin());
        std::string value{text_.substr(0, length)};
        text_.remove_prefix(length);
        return value;
    }

    /// Behind the opening quote; "" stands for one quote.
    [[nodiscard]] std::string quoted(bool& closed) {
        std::string value;
        while (!text_.empty()) {
            const char c = text_.front();
            text_.remove_prefix(1);
            if (c != '"') {
                line_ += c == '\n' ? 1 : 0;
                value += c;
            } else if (text_.starts_with('"')) {
                text_.remove_prefix(1);
                value += '"';
            } else {
                return value;
            }
        }
        closed = false;
        return value;
    }

    [[nodiscard]] std::string cell(bool& closed) {
        while (text_.starts_with(' ') && separator_ != ' ') {
            text_.remove_prefix(1);
        }
        if (!text_.starts_with('"')) {
            return trimmed(plain());
        }
        text_.remove_prefix(1);
        std::string value = quoted(closed);
        value += plain();  // what follows the closing quote belongs to the cell
        return trimmed(value);
    }

    std::string_view text_;
    char separator_;
    std::size_t line_ = 1;
};

bool is_empty(const CsvRow& row) {
    return std::all_of(row.cells.begin(), row.cells.end(),
                       [](const std::string& cell) { return cell.empty(); });
}

}  // namespace

Result<CsvTable> parse_csv(std::string_view bytes, const CsvLimits& limits) {
    if (bytes.size() > limits.bytes_max) {
        return too_large("E2122", "The file is too long.", "Split it into several files.");
    }
    IOTSKY_TRY(text, to_utf8(bytes));
    CsvTable table;
    table.separator = guess_separator(text);
    Scanner scanner(text, table.separator);
    while (!scanner.at_end()) {
        bool closed = true;
        CsvRow row = scanner.row(closed);
        if (!closed) {
            return make_error(
                Errc::invalid_argument, "E2124",
                "The quote that opens in line " + std::to_string(row.line) + " never ends.",
                "Everything behind it would be one cell.",
                "Put a closing quote, or take the quote away.");
        }
        if (is_empty(row)) {
            continue;
        }
        if (row.cells.size() > limits.cells_max || table.rows.size() == limits.rows_max) {
            return too_large("E2123",
                             "The table is too large (line " + std::to_string(row.line) + ").",
                             "Split it into several files, or delete columns.");
        }
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string csv_cell(std::string_view text) {
    std::string cell{text};
    if (!text.empty() &&
        std::string_view{"=+-@\t\r"}.find(text.front()) != std::string_view::npos) {
        cell.insert(cell.begin(), '\'');
    }
    if (cell.find_first_of(",;|\t\"\r\n") == std::string::npos) {
        return cell;
    }
    std::string quoted = "\"";
    for (const char c : cell) {
        quoted += c;
        if (c == '"') {
            quoted += '"';
        }
    }
    return quoted += '"';
}

}  // namespace iotsky::provisioning
