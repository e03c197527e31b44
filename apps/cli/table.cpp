#include "apps/cli/table.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <sstream>

#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const json::value* find(const json::value& item, std::string_view path) {
    const json::value* at = &item;
    for (const std::string_view part : split(path, '.')) {
        const json::object* object = at->if_object();
        at = object == nullptr ? nullptr : object->if_contains(part);
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at;
}

/// "2026-11-23T09:14:31Z" as local "2026-11-23 10:14:31"; any other text as it is.
std::string local_time_text(const std::string& text) {
    std::tm utc{};
    std::istringstream in{text};
    in >> std::get_time(&utc, "%Y-%m-%dT%H:%M:%SZ");
    if (in.fail() || text.size() != 20) {
        return text;
    }
    const std::time_t seconds = ::timegm(&utc);
    std::tm local{};
    ::localtime_r(&seconds, &local);
    std::ostringstream out;
    out << std::put_time(&local, "%Y-%m-%d %H:%M:%S");
    return out.str();
}

std::string scalar_text(const json::value& value, bool local_time) {
    if (value.is_null()) {
        return "-";
    }
    if (const json::string* text = value.if_string()) {
        std::string plain = escape({text->data(), text->size()});
        return local_time ? local_time_text(plain) : plain;
    }
    if (const json::array* list = value.if_array()) {
        std::string out;
        for (const json::value& entry : *list) {
            out += (out.empty() ? "" : ",") + scalar_text(entry, local_time);
        }
        return out.empty() ? "-" : out;
    }
    return json::serialize(value);
}

std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
    }));
}

std::string padded(const std::string& text, std::size_t width) {
    return text + std::string(width - std::min(width, width_of(text)), ' ');
}

std::string line_of(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        line += i + 1 == cells.size() ? cells[i] : padded(cells[i], widths[i] + 2);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

Result<std::vector<Column>> chosen(const Session& session, const std::vector<Column>& columns) {
    std::vector<Column> out;
    if (session.globals.columns.empty()) {
        const bool wide = session.globals.output == "wide";
        std::copy_if(columns.begin(), columns.end(), std::back_inserter(out),
                     [&](const Column& column) { return wide || !column.wide; });
        return out;
    }
    std::vector<std::string> known;
    for (const Column& column : columns) {
        known.emplace_back(column.path);
    }
    for (const std::string& name : session.globals.columns) {
        const auto at = std::find(known.begin(), known.end(), name);
        if (at == known.end()) {
            const std::string near = nearest(name, known);
            std::string all;
            for (const std::string& path : known) {
                all += (all.empty() ? "" : ", ") + path;
            }
            return usage_error(
                "There is no column \"" + escape(name, 40) + "\".", "The columns are " + all + ".",
                near.empty() ? "Choose from them." : "Did you mean \"" + near + "\"?");
        }
        out.push_back(columns[static_cast<std::size_t>(at - known.begin())]);
    }
    return out;
}

std::string id_of(const json::value& item) {
    for (const std::string_view key : {"id", "seq", "name", "topic", "client_id"}) {
        if (const json::value* value = find(item, key)) {
            return scalar_text(*value, false);
        }
    }
    return json::serialize(item);
}

}  // namespace

std::string cell_text(const json::value& item, std::string_view path, bool local_time) {
    const json::value* value = find(item, path);
    return value == nullptr ? "-" : scalar_text(*value, local_time);
}

std::string render_table(const std::vector<std::string>& titles,
                         const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const std::string& title : titles) {
        widths.push_back(width_of(title));
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    std::string out = line_of(titles, widths);
    for (const auto& row : rows) {
        out += line_of(row, widths);
    }
    return out;
}

Result<Exit> print_list(Session& session, const json::array& items,
                        const std::vector<Column>& columns) {
    std::ostream& out = session.streams.out;
    if (session.globals.json) {
        out << json::serialize(items) << "\n";
        return Exit::done;
    }
    if (session.globals.jsonl || session.globals.quiet) {
        for (const json::value& item : items) {
            out << (session.globals.jsonl ? json::serialize(item) : id_of(item)) << "\n";
        }
        return Exit::done;
    }
    IOTSKY_TRY(shown, chosen(session, columns));
    if (items.empty()) {
        session.streams.err << "none\n";
        return Exit::done;
    }
    std::vector<std::string> titles;
    for (const Column& column : shown) {
        titles.emplace_back(column.title);
    }
    std::vector<std::vector<std::string>> rows;
    for (const json::value& item : items) {
        rows.emplace_back();
        for (const Column& column : shown) {
            rows.back().push_back(cell_text(item, column.path, session.streams.out_terminal));
        }
    }
    out << render_table(titles, rows);
    return Exit::done;
}

Result<Exit> print_object(Session& session, const json::value& object,
                          const std::vector<Column>& fields) {
    std::ostream& out = session.streams.out;
    if (session.globals.json || session.globals.jsonl) {
        out << json::serialize(object) << "\n";
        return Exit::done;
    }
    if (session.globals.quiet) {
        out << id_of(object) << "\n";
        return Exit::done;
    }
    IOTSKY_TRY(shown, chosen(session, fields));
    std::size_t width = 0;
    for (const Column& field : shown) {
        width = std::max(width, field.title.size());
    }
    for (const Column& field : shown) {
        const std::string text = cell_text(object, field.path, session.streams.out_terminal);
        if (text != "-" && !text.empty()) {
            out << padded(std::string{field.title}, width + 2) << text << "\n";
        }
    }
    return Exit::done;
}

}  // namespace iotsky::apps::cli
