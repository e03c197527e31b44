#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/session.hpp"

/// Answers of the API for people: aligned tables and lists of properties.
namespace iotsky::apps::cli {

/// One column of a table.
struct Column {
    std::string_view title;
    std::string_view path;  ///< field, "a.b" for inner ones
    bool wide = false;      ///< shown with -o wide only
};

/// The text of a value in a table: "-" for null and missing, lists with commas, times short and in
/// local time on a terminal. Control characters are escaped: names may come from a peer.
[[nodiscard]] std::string cell_text(const boost::json::value& item, std::string_view path,
                                    bool local_time);

/// Columns padded to their widest cell; no trailing spaces. Widths count code points.
[[nodiscard]] std::string render_table(const std::vector<std::string>& titles,
                                       const std::vector<std::vector<std::string>>& rows);

/// Prints a list as the flags ask: --json one array, --jsonl one object a line, -q ids, else a
/// table with the columns of --columns or `columns`. E1170 for a column that is not there.
[[nodiscard]] Result<Exit> print_list(Session& session, const boost::json::array& items,
                                      const std::vector<Column>& columns);

/// Prints one object: --json and --jsonl as it is, -q its id, else one "field  value" a line.
[[nodiscard]] Result<Exit> print_object(Session& session, const boost::json::value& object,
                                        const std::vector<Column>& fields);

}  // namespace iotsky::apps::cli
