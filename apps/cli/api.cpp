#include "apps/cli/api.hpp"

#include <boost/json.hpp>

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string{value->as_string()} : std::string{};
}

Errc kind_of(unsigned status) {
    switch (status) {
        case 400:
        case 422:
            return Errc::invalid_argument;
        case 401:
            return Errc::unauthenticated;
        case 403:
            return Errc::permission_denied;
        case 404:
            return Errc::not_found;
        case 409:
            return Errc::conflict;
        case 410:
        case 412:
            return Errc::precondition_failed;
        case 429:
        case 503:
            return Errc::unavailable;
        case 501:
            return Errc::unsupported;
        default:
            return Errc::internal;
    }
}

Error unreadable(const ServerAddress& server, const std::string& reason) {
    return make_error(Errc::io, "E1169", server.text() + " gave no answer that can be read.",
                      "It is no iotsky API, or the connection was cut: " + reason + ".",
                      "Check --server; `iotsky status` shows the broker's own addresses.");
}

}  // namespace

std::string encode(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        const auto byte = static_cast<unsigned char>(c);
        if (plain) {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        }
    }
    return out;
}

std::string target(std::string_view path, const Query& query) {
    std::string out = "/api/v1" + std::string{path};
    char separator = '?';
    for (const auto& [key, value] : query) {
        if (!value.empty()) {
            out += separator + key + "=" + encode(value);
            separator = '&';
        }
    }
    return out;
}

Error to_error(const HttpResponse& response) {
    Error error;
    error.code = kind_of(response.status);
    boost::system::error_code fault;
    const json::value body = json::parse(response.body, fault);
    const json::object* problem = fault ? nullptr : body.if_object();
    if (problem == nullptr) {
        error.message = "The broker answered with status " + std::to_string(response.status) + ".";
        return error;
    }
    error.number = text_of(*problem, "code");
    error.message = text_of(*problem, "detail");
    if (error.message.empty()) {
        error.message = text_of(*problem, "title");
    }
    error.why = text_of(*problem, "why");
    error.how = text_of(*problem, "hint");
    if (const json::value* fields = problem->if_contains("errors");
        fields != nullptr && fields->is_array()) {
        for (const json::value& field : fields->get_array()) {
            if (const json::object* entry = field.if_object()) {
                error.fields.push_back({text_of(*entry, "pointer"), text_of(*entry, "message")});
            }
        }
    }
    return error;
}

Result<Api> Api::of(const Session& session) {
    IOTSKY_TRY(server, session.server());
    return Api{std::move(server)};
}

Result<std::string> Api::raw(const HttpRequest& request) const {
    IOTSKY_TRY(response, send(server_, request));
    if (response.status < 200 || response.status > 299) {
        return to_error(response);
    }
    return std::move(response.body);
}

Result<json::value> Api::call(const std::string& method, const std::string& target_text,
                              const json::value& body) const {
    HttpRequest request;
    request.method = method;
    request.target = target_text;
    request.body = body.is_null() ? "" : json::serialize(body);
    IOTSKY_TRY(text, raw(request));
    if (text.empty()) {
        return json::value{};
    }
    boost::system::error_code fault;
    json::value answer = json::parse(text, fault);
    if (fault) {
        return unreadable(server_, fault.message());
    }
    return answer;
}

Result<json::array> Api::list(std::string_view path, Query query) const {
    json::array items;
    query.emplace_back("limit", "1000");
    query.emplace_back("cursor", "");
    while (true) {
        IOTSKY_TRY(page, call("GET", target(path, query)));
        const json::object* object = page.if_object();
        const json::value* found = object == nullptr ? nullptr : object->if_contains("items");
        if (found == nullptr || !found->is_array()) {
            return unreadable(server_, "a list has no items");
        }
        items.insert(items.end(), found->get_array().begin(), found->get_array().end());
        std::string next = text_of(*object, "next_cursor");
        if (next.empty()) {
            return items;
        }
        query.back().second = std::move(next);
    }
}

}  // namespace iotsky::apps::cli
