#include "provisioning/roster/roster_table.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "provisioning/roster/csv.hpp"
#include "provisioning/students.hpp"

namespace iotsky::provisioning {
namespace {

enum class Meaning : std::uint8_t { name, first_name, last_name, pseudonym, project };

struct HeaderWord {
    std::string_view word;  ///< lower case
    Meaning meaning;
};

constexpr std::array<HeaderWord, 38> kHeaderWords{{
    {"name", Meaning::name},
    {"names", Meaning::name},
    {"full name", Meaning::name},
    {"student", Meaning::name},
    {"student name", Meaning::name},
    {"pupil", Meaning::name},
    {"schüler", Meaning::name},
    {"schülerin", Meaning::name},
    {"schüler/in", Meaning::name},
    {"schueler", Meaning::name},
    {"first name", Meaning::first_name},
    {"firstname", Meaning::first_name},
    {"first", Meaning::first_name},
    {"given name", Meaning::first_name},
    {"forename", Meaning::first_name},
    {"vorname", Meaning::first_name},
    {"rufname", Meaning::first_name},
    {"last name", Meaning::last_name},
    {"lastname", Meaning::last_name},
    {"last", Meaning::last_name},
    {"surname", Meaning::last_name},
    {"family name", Meaning::last_name},
    {"nachname", Meaning::last_name},
    {"familienname", Meaning::last_name},
    {"zuname", Meaning::last_name},
    {"pseudonym", Meaning::pseudonym},
    {"nick", Meaning::pseudonym},
    {"nickname", Meaning::pseudonym},
    {"alias", Meaning::pseudonym},
    {"user", Meaning::pseudonym},
    {"username", Meaning::pseudonym},
    {"user name", Meaning::pseudonym},
    {"benutzername", Meaning::pseudonym},
    {"project", Meaning::project},
    {"projekt", Meaning::project},
    {"group", Meaning::project},
    {"gruppe", Meaning::project},
    {"team", Meaning::project},
}};

/// Column of each meaning; the first that fits.
using Layout = std::array<std::optional<std::size_t>, 5>;

std::optional<std::size_t>& column(Layout& layout, Meaning meaning) {
    return layout[static_cast<std::size_t>(meaning)];
}
const std::optional<std::size_t>& column(const Layout& layout, Meaning meaning) {
    return layout[static_cast<std::size_t>(meaning)];
}

/// ASCII and the umlauts of the words above.
std::string lower(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (c >= 'A' && c <= 'Z') {
            out += static_cast<char>(c - 'A' + 'a');
        } else if (c == '_') {
            out += ' ';
        } else {
            out += c;
            if (c == '\xc3' && i + 1 < text.size() && text[i + 1] == '\x9c') {
                out += '\xbc';  // Ü to ü
                ++i;
            }
        }
    }
    return out;
}

Layout guess_layout(const CsvRow& header) {
    Layout layout;
    for (std::size_t i = 0; i < header.cells.size(); ++i) {
        const std::string word = lower(header.cells[i]);
        const auto known =
            std::find_if(kHeaderWords.begin(), kHeaderWords.end(),
                         [&](const HeaderWord& entry) { return entry.word == word; });
        if (known != kHeaderWords.end() && !column(layout, known->meaning)) {
            column(layout, known->meaning) = i;
        }
    }
    return layout;
}

bool is_header(const Layout& layout) {
    return std::any_of(layout.begin(), layout.end(),
                       [](const auto& place) { return place.has_value(); });
}

/// Whether people can be told apart by these columns.
bool names_people(const Layout& layout) {
    return column(layout, Meaning::name) || column(layout, Meaning::first_name) ||
           column(layout, Meaning::last_name) || column(layout, Meaning::pseudonym);
}

std::string cell(const CsvRow& row, const std::optional<std::size_t>& place) {
    if (!place || *place >= row.cells.size()) {
        return {};
    }
    std::string value = row.cells[*place];
    // Our own export puts ' in front of what a spreadsheet would take for a formula.
    if (value.size() > 1 && value[0] == '\'' &&
        std::string_view{"=+-@"}.find(value[1]) != std::string_view::npos) {
        value.erase(0, 1);
    }
    return value;
}

std::string real_name(const CsvRow& row, const Layout& layout) {
    std::string name = cell(row, column(layout, Meaning::name));
    if (!name.empty()) {
        return name;
    }
    const std::string first = cell(row, column(layout, Meaning::first_name));
    const std::string last = cell(row, column(layout, Meaning::last_name));
    return first + (first.empty() || last.empty() ? "" : " ") + last;
}

void find_problem(RosterEntry& entry) {
    const auto set = [&](std::string_view number, std::string text) {
        entry.problem_number = number;
        entry.problem = std::move(text);
    };
    if (entry.name.empty() && entry.pseudonym.empty()) {
        set("E2126", "name empty");
    } else if (!entry.name.empty() && !check_real_name(entry.name)) {
        set("E2128", "the name is longer than 200 bytes or has control characters");
    } else if (!entry.pseudonym.empty() && !is_valid_name(entry.pseudonym)) {
        set("E2129", "\"" + escape(entry.pseudonym, 60) +
                         "\" is not a pseudonym: use 1 to 40 of A-Z a-z 0-9 _ -");
    } else if (!entry.project.empty() && !is_valid_name(entry.project)) {
        set("E2130", "\"" + escape(entry.project, 60) +
                         "\" is not a project name: use 1 to 40 of A-Z a-z 0-9 _ -");
    }
}

RosterEntry read_entry(const CsvRow& row, const Layout& layout) {
    RosterEntry entry;
    entry.line = row.line;
    entry.name = real_name(row, layout);
    entry.pseudonym = cell(row, column(layout, Meaning::pseudonym));
    entry.project = cell(row, column(layout, Meaning::project));
    find_problem(entry);
    return entry;
}

std::optional<std::string> heading(const CsvRow* header, const std::optional<std::size_t>& place) {
    if (!place) {
        return std::nullopt;
    }
    return header == nullptr ? "column " + std::to_string(*place + 1) : header->cells[*place];
}

RosterColumns columns_of(const CsvRow* header, const Layout& layout) {
    RosterColumns columns;
    columns.name = heading(header, column(layout, Meaning::name));
    const auto first = heading(header, column(layout, Meaning::first_name));
    const auto last = heading(header, column(layout, Meaning::last_name));
    if (!columns.name && (first || last)) {
        columns.name = first && last ? *first + " + " + *last : first ? first : last;
    }
    columns.pseudonym = heading(header, column(layout, Meaning::pseudonym));
    columns.project = heading(header, column(layout, Meaning::project));
    return columns;
}

}  // namespace

Result<RosterTable> parse_roster(std::string_view bytes) {
    IOTSKY_TRY(csv, parse_csv(bytes));
    RosterTable table;
    if (csv.rows.empty()) {
        return table;
    }
    Layout layout = guess_layout(csv.rows[0]);
    const bool has_header = is_header(layout);
    if (!has_header) {
        column(layout, Meaning::name) = 0;
    } else if (!names_people(layout)) {
        return make_error(Errc::invalid_argument, "E2127", "No column holds names.",
                          "The header has no word like name, first name, last name or pseudonym.",
                          "Call the column with the names \"name\" and try again.");
    }
    table.columns = columns_of(has_header ? &csv.rows[0] : nullptr, layout);
    for (std::size_t i = has_header ? 1 : 0; i < csv.rows.size(); ++i) {
        table.entries.push_back(read_entry(csv.rows[i], layout));
    }
    if (table.entries.size() > 1000) {
        return make_error(Errc::limit_exceeded, "E2123", "The table has more than 1000 rows.",
                          "A roster has at most 1000 rows and 5 MB.",
                          "Split it into several files.");
    }
    return table;
}

}  // namespace iotsky::provisioning
