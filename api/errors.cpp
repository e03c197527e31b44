#include "api/errors.hpp"

#include "base/text.hpp"

namespace iotsky::api {

Error not_json(std::string_view problem, std::size_t line, std::size_t column) {
    const std::string where = "line " + std::to_string(line) + ", column " + std::to_string(column);
    Error error =
        make_error(Errc::invalid_argument, "E4101", "The body is not JSON (" + where + ").",
                   std::string{problem}, "Send one JSON object; names and texts in double quotes.");
    error.fields.push_back({where, std::string{problem}});
    return error;
}

Error wrong_fields(std::vector<FieldError> fields) {
    const std::string what = fields.size() == 1
                                 ? "\"" + fields.front().pointer + "\": " + fields.front().message
                                 : std::to_string(fields.size()) + " fields are wrong.";
    Error error =
        make_error(Errc::invalid_argument, "E4104", what, "The request does not fit this route.",
                   "The fields of each route are in /api/v1/openapi.json.");
    error.fields = std::move(fields);
    return error;
}

Error no_such_route(std::string_view method, std::string_view path) {
    return make_error(
        Errc::not_found, "E4105", "There is no " + std::string{method} + " " + escape(path) + ".",
        "No route of this program has that path.", "All routes are in /api/v1/openapi.json.");
}

Error method_not_allowed(std::string_view method, std::string_view allowed) {
    return make_error(Errc::unsupported, "E4106", "This path has no " + std::string{method} + ".",
                      "It can be used with " + std::string{allowed} + ".",
                      "All routes are in /api/v1/openapi.json.");
}

Error wrong_host(std::string_view host) {
    return make_error(Errc::permission_denied, "E4107",
                      "This is not the host \"" + escape(host) + "\".",
                      "Requests under a foreign name can come from a web page that was made to "
                      "point here (DNS rebinding).",
                      "Use localhost or an address of this machine, or add the name to server.names.");
}

Error cross_origin(std::string_view origin) {
    return make_error(Errc::permission_denied, "E4108",
                      "Requests of the web page \"" + escape(origin) + "\" are not served.",
                      "Only pages of this server may call it.",
                      "Call it from a program, or open the page under this server's own address.");
}

Error wrong_content_type(std::string_view given, std::string_view wanted) {
    return make_error(Errc::invalid_argument, "E4109",
                      "The body is \"" + escape(given) + "\", not " + std::string{wanted} + ".",
                      "Only that type is read here.",
                      "Send the header Content-Type: " + std::string{wanted});
}

Error body_too_long(std::size_t bytes_max) {
    return make_error(Errc::limit_exceeded, "E4110",
                      "The body is longer than " + std::to_string(bytes_max) + " bytes.",
                      "More is not read here.", "Send less at a time.");
}

Error header_too_long(std::size_t bytes_max) {
    return make_error(Errc::limit_exceeded, "E4111",
                      "The header is longer than " + std::to_string(bytes_max) + " bytes.",
                      "More is not read here.", "Send fewer or shorter header lines.");
}

Error too_slow(long seconds) {
    return make_error(Errc::unavailable, "E4112",
                      "The request did not arrive within " + std::to_string(seconds) + " s.",
                      "A request must arrive whole in that time.", "Send it again in one go.");
}

Error too_many_connections(std::size_t connections_max) {
    return make_error(Errc::unavailable, "E4113",
                      std::to_string(connections_max) + " connections are open already.",
                      "More are not served at once.", "Close some, or try again.");
}

Error too_busy(std::size_t waiting_max) {
    return make_error(Errc::unavailable, "E4114",
                      std::to_string(waiting_max) + " requests are waiting already.",
                      "The machine is busy.", "Try again in a second.");
}

Error no_credentials() {
    return make_error(Errc::unauthenticated, "E4115", "This needs a token.",
                      "The request has no Authorization header.",
                      "Send \"Authorization: Bearer iot_...\"; the first token is in the data "
                      "folder's admin.token, or use the unix socket.");
}

Error bad_token() {
    return make_error(Errc::unauthenticated, "E4116", "This token is not valid.",
                      "It is unknown, has ended or was revoked.",
                      "Make a new one: iotsky token create NAME");
}

Error rank_too_low(Rank has, Rank needs) {
    return make_error(Errc::permission_denied, "E4117",
                      "The role " + std::string{to_string(has)} + " may not do this.",
                      "It needs the role " + std::string{to_string(needs)} + ".",
                      "Use another token, or ask somebody who has that role.");
}

Error unix_peer_refused() {
    return make_error(Errc::permission_denied, "E4117", "Your account may not use this socket.",
                      "It is neither root, nor the daemon's own, nor in the group iotsky.",
                      "sudo adduser \"$USER\" iotsky, then log in again; or send a token.");
}

Error unix_socket_only() {
    return make_error(Errc::permission_denied, "E4117", "This works over the unix socket only.",
                      "A CA key does not travel over a network port.",
                      "Run it on this machine, as root or in the group iotsky.");
}

Error out_of_scope(std::string_view object) {
    return make_error(
        Errc::permission_denied, "E4118", "This token is not for " + escape(object) + ".",
        "It is narrowed to another class or project.", "Use the token of that class or project.");
}

Error too_many_wrong_tokens(std::string_view address, std::chrono::seconds wait) {
    const std::string time = std::to_string(wait.count()) + " s";
    return make_error(Errc::limit_exceeded, "E4119",
                      "Too many wrong tokens came from " + escape(address) + ".",
                      "Tokens that were not right before are looked at again in " + time + ".",
                      "Wait " + time + ", then send the right one; the unix socket needs none.");
}

Error changed_meanwhile(std::string_view wanted, std::string_view current) {
    return make_error(
        Errc::precondition_failed, "E4120", "The object changed meanwhile.",
        "If-Match asks for " + escape(wanted) + ", it is " + std::string{current} + " now.",
        "Read it again, then repeat the change with the new ETag.");
}

Error bad_query(std::string_view name, std::string_view problem) {
    Error error = make_error(Errc::invalid_argument, "E4121",
                             "Query parameter \"" + escape(name) + "\": " + std::string{problem},
                             "The query does not fit this route.",
                             "The parameters of each route are in /api/v1/openapi.json.");
    error.fields.push_back({"?" + escape(name), std::string{problem}});
    return error;
}

Error bad_ticket() {
    return make_error(Errc::not_found, "E4122", "This download link is not valid any more.",
                      "A link works once and for 10 minutes: the key is kept nowhere else.",
                      "Make a new certificate with its bundle: iotsky bundle make THING");
}

Error not_http(std::string_view problem) {
    return make_error(Errc::invalid_argument, "E4124", "This is not an HTTP/1.1 request.",
                      std::string{problem}, "Use curl or another HTTP client.");
}

Error own_fault(std::string detail) {
    Error error = make_error(Errc::internal, "E4125", "Something went wrong inside.",
                             "This is a fault of the program, not of the request.",
                             "The log has the cause under the request id.");
    error.detail = std::move(detail);
    return error;
}

Error broker_silent() {
    return make_error(Errc::unavailable, "E4126", "The broker did not answer in time.",
                      "It is busy or stopping.", "Try again; iotsky status shows its state.");
}

}  // namespace iotsky::api
