#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "apps/cli/api.hpp"

/// Names as people type them.
namespace iotsky::apps::cli {

/// "7b/otter/weather" in its parts; a classless thing has a name alone.
struct ThingPath {
    std::string class_name;
    std::string project;
    std::string name;
};
/// E1170 for one with two parts or more than three.
[[nodiscard]] Result<ThingPath> parse_thing_path(std::string_view text);
/// "7b/otter" in its parts; E1170 otherwise.
[[nodiscard]] Result<std::pair<std::string, std::string>> parse_two_parts(std::string_view text,
                                                                          std::string_view what);

/// "/things/" + the thing as it goes into a path: an id, an AWS name, or a path with its slashes
/// encoded.
[[nodiscard]] std::string thing_target(std::string_view thing);

/// When `error` says "not found": asks for the list at `path` and adds the nearest names to its
/// remedy.
[[nodiscard]] Error with_nearest(Error error, const Api& api, std::string_view path,
                                 std::string_view key, std::string_view wanted);

/// The thing's full path for a path, an id, an AWS name or a prefix that only one thing has. Not
/// found: E2107 of the API with the nearest names.
[[nodiscard]] Result<std::string> resolve_thing(const Api& api, const std::string& text);

/// Text of a field, empty when it is missing or null.
[[nodiscard]] std::string text_at(const boost::json::value& object, std::string_view key);

/// The whole of a file, or of standard input for "-". E1172 naming it.
[[nodiscard]] Result<std::string> read_input(Session& session, const std::string& file,
                                             std::size_t bytes_max);

}  // namespace iotsky::apps::cli
