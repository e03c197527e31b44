#include "api/error_map.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

namespace iotsky::api {
namespace {

namespace json = boost::json;

struct NumberStatus {
    std::string_view number;
    unsigned status;
};

constexpr std::array kByNumber{
    NumberStatus{"E4103", 422}, NumberStatus{"E4106", 405}, NumberStatus{"E4107", 421},
    NumberStatus{"E4109", 415}, NumberStatus{"E4110", 413}, NumberStatus{"E4111", 431},
    NumberStatus{"E4112", 408}, NumberStatus{"E4119", 429}, NumberStatus{"E4122", 410},
};

unsigned status_of_kind(Errc code) noexcept {
    switch (code) {
        case Errc::invalid_argument:
            return 400;
        case Errc::unauthenticated:
            return 401;
        case Errc::permission_denied:
            return 403;
        case Errc::not_found:
            return 404;
        case Errc::already_exists:
        case Errc::conflict:
        case Errc::limit_exceeded:
            return 409;
        case Errc::precondition_failed:
            return 412;
        case Errc::unavailable:
            return 503;
        case Errc::unsupported:
            return 501;
        case Errc::corrupt:
        case Errc::io:
        case Errc::internal:
            return 500;
    }
    return 500;
}

std::string title_of(Errc code) {
    std::string title{to_string(code)};
    std::ranges::replace(title, '_', ' ');
    return title;
}

json::array render_fields(const std::vector<FieldError>& fields) {
    json::array out;
    for (const FieldError& field : fields) {
        out.push_back(json::object{{"pointer", field.pointer}, {"message", field.message}});
    }
    return out;
}

}  // namespace

unsigned http_status(const Error& error) noexcept {
    const auto row = std::ranges::find(kByNumber, error.number, &NumberStatus::number);
    return row != kByNumber.end() ? row->status : status_of_kind(error.code);
}

Response problem(const Error& error, const Request& request) {
    const unsigned status = http_status(error);
    json::object body{
        {"type", error.number.empty() ? "about:blank" : "/help/" + error.number},
        {"title", title_of(error.code)},
        {"status", status},
        {"detail", error.message},
        {"instance", request.path},
        {"code", error.number},
        {"why", error.why},
        {"hint", error.how},
        {"request_id", request.request_id},
    };
    if (!error.fields.empty()) {
        body["errors"] = render_fields(error.fields);
    }
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = json::serialize(body);
    if (status == 503) {
        response.headers.emplace_back("Retry-After", "1");
    }
    if (status == 401) {
        response.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"iotsky\"");
    }
    return response;
}

}  // namespace iotsky::api
