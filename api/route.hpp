#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "api/caller.hpp"
#include "api/request.hpp"
#include "api/response.hpp"
#include "base/error.hpp"

namespace iotsky::api {

struct Services;

enum class FieldType : std::uint8_t {
    text,
    text_or_null,
    date,  ///< "2027-02-05"
    date_or_null,
    integer,
    boolean,
    object,  ///< With the fields of `nested`, or free when there are none.
    text_list,
    text_map,  ///< Values are text.
    document   ///< A JSON object, or text that holds one (then positions in errors are exact).
};

enum class Presence : std::uint8_t { required, optional };

/// One field of a JSON body. Bodies are checked against these, and the OpenAPI document is made of
/// them.
struct Field {
    std::string_view name = {};
    FieldType type = FieldType::text;
    Presence presence = Presence::optional;
    std::string_view about = {};
    std::span<const Field> nested = {};
};

enum class QueryType : std::uint8_t { text, flag, number };

/// One query parameter; min and max bound numbers.
struct QueryField {
    std::string_view name = {};
    QueryType type = QueryType::text;
    std::string_view about = {};
    std::int64_t min = 0;
    std::int64_t max = 0;
};

enum class BodyKind : std::uint8_t { none, json, csv };

/// Who may call a route, apart from the rank.
enum class Door : std::uint8_t {
    credentials,  ///< A unix peer that is trusted, or a token, of at least `needs`.
    open,         ///< Anybody: public facts (CA certificate, health), or the path holds a ticket.
    local_open,   ///< Anybody on this machine; others need credentials.
    unix_only     ///< As credentials, over the unix socket alone.
};

/// Decodes, validates, calls the domain, renders. Thread: work; may block.
using Handler = Result<Response> (*)(Services& services, const Request& request);

/// One row of the table. A pattern's segment is literal, "{name}", or "{name}:verb".
struct Route {
    Method method = Method::get;
    std::string_view pattern = {};
    Rank needs = Rank::admin;
    Handler handler = nullptr;
    std::string_view summary = {};
    BodyKind body = BodyKind::none;
    std::span<const Field> fields = {};
    std::span<const QueryField> query = {};
    Door door = Door::credentials;
    unsigned success = 200;
    std::string_view answers = "application/json";  ///< Content-Type of the success answer.
};

inline constexpr QueryField kLimitField{"limit", QueryType::number, "rows of a page", 1, 1000};
inline constexpr QueryField kCursorField{"cursor", QueryType::text,
                                         "next_cursor of the page before"};
inline constexpr QueryField kCascadeField{"cascade", QueryType::flag,
                                          "its things too; their certificates are revoked"};
inline constexpr QueryField kDryRunField{"dry_run", QueryType::flag,
                                         "says what would happen, changes nothing"};

}  // namespace iotsky::api
