#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "provisioning/names.hpp"
#include "storage/db.hpp"

/// Small helpers that turn the rows of a query into records. A `Read` is `Record(Query&)`.
namespace iotsky::storage {

template <typename Read>
auto first_row(Query&& query, Read read) -> std::optional<decltype(read(query))> {
    if (!query.next()) {
        return std::nullopt;
    }
    return read(query);
}

template <typename Read>
auto all_rows(Query&& query, Read read) -> std::vector<decltype(read(query))> {
    std::vector<decltype(read(query))> rows;
    while (query.next()) {
        rows.push_back(read(query));
    }
    return rows;
}

inline Id read_id(Query& query) {
    return query.get<Id>();
}

/// A word of an enumeration; an unknown one is damage.
template <typename Enum>
Enum read_word(Query& query) {
    const auto word = query.get<std::string>();
    const auto value = provisioning::from_string<Enum>(word);
    if (!value) {
        query.damaged("unknown word \"" + word + "\"");
        return Enum{};
    }
    return *value;
}

inline std::int64_t limit_of(std::size_t limit) {
    return static_cast<std::int64_t>(limit);
}

}  // namespace iotsky::storage
