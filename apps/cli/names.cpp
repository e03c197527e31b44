#include "apps/cli/names.hpp"

#include <boost/json.hpp>
#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>

#include "base/errno_text.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

Error input_error(const std::string& file, const std::string& what, const std::string& why) {
    return make_error(Errc::invalid_argument, "E1172", "The file " + file + " " + what + ".",
                      why + ".", "Check the path, or give - to read standard input.");
}

}  // namespace

Result<ThingPath> parse_thing_path(std::string_view text) {
    const auto parts = split(text, '/');
    if (parts.size() == 3) {
        return ThingPath{std::string{parts[0]}, std::string{parts[1]}, std::string{parts[2]}};
    }
    if (parts.size() == 1 && !text.empty()) {
        return ThingPath{"", "", std::string{text}};
    }
    return usage_error("\"" + escape(text, 130) + "\" is not a thing's path.",
                       "A thing is class/project/thing; without a class it has a name alone.",
                       "For example: iotsky thing create 7b/otter/weather");
}

Result<std::pair<std::string, std::string>> parse_two_parts(std::string_view text,
                                                            std::string_view what) {
    const auto parts = split(text, '/');
    if (parts.size() != 2 || parts[0].empty() || parts[1].empty()) {
        return usage_error(
            "\"" + escape(text, 130) + "\" is not a " + std::string{what} + "'s path.",
            "It has two parts: class/" + std::string{what} + ".", "For example: 7b/otter");
    }
    return std::pair{std::string{parts[0]}, std::string{parts[1]}};
}

std::string thing_target(std::string_view thing) {
    return "/things/" + encode(thing);
}

std::string text_at(const json::value& object, std::string_view key) {
    const json::object* fields = object.if_object();
    const json::value* value = fields == nullptr ? nullptr : fields->if_contains(key);
    return value != nullptr && value->is_string() ? std::string{value->get_string()}
                                                  : std::string{};
}

Error with_nearest(Error error, const Api& api, std::string_view path, std::string_view key,
                   std::string_view wanted) {
    if (error.code != Errc::not_found) {
        return error;
    }
    const auto items = api.list(path);
    if (!items) {
        return error;  // the first refusal is the one that matters
    }
    std::vector<std::string> known;
    for (const json::value& item : *items) {
        known.push_back(text_at(item, key));
    }
    if (const std::string near = nearest(wanted, known); !near.empty()) {
        error.how = "Did you mean \"" + near + "\"?" + (error.how.empty() ? "" : " " + error.how);
    }
    return error;
}

Result<std::string> resolve_thing(const Api& api, const std::string& text) {
    auto exact = api.call("GET", target(thing_target(text)));
    if (exact) {
        return text_at(*exact, "path");
    }
    Error error = std::move(exact).error();
    if (error.code != Errc::not_found) {
        return error;
    }
    IOTSKY_TRY(found, api.list("/things", {{"q", text}}));
    std::vector<std::string> starting;
    for (const json::value& item : found) {
        if (std::string path = text_at(item, "path"); path.starts_with(text)) {
            starting.push_back(std::move(path));
        }
    }
    if (starting.size() == 1) {
        return starting[0];
    }
    if (starting.size() > 1) {
        error.why = std::to_string(starting.size()) + " things begin so: " + starting[0] + ", " +
                    starting[1] + (starting.size() > 2 ? ", ..." : "") + ".";
        return error;
    }
    return with_nearest(std::move(error), api, "/things", "path", text);
}

Result<std::string> read_input(Session& session, const std::string& file, std::size_t bytes_max) {
    std::ifstream opened;
    if (file != "-") {
        opened.open(file, std::ios::binary);
        if (!opened) {
            return input_error(file, "cannot be read", errno_text(errno));
        }
    }
    std::istream& in = file == "-" ? session.streams.in : opened;
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (text.empty()) {
        return input_error(file, "is empty", "There is nothing to send");
    }
    if (text.size() > bytes_max) {
        return input_error(file, "is too long",
                           "At most " + std::to_string(bytes_max) + " bytes are taken");
    }
    return text;
}

}  // namespace iotsky::apps::cli
