#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "api/caller.hpp"
#include "base/error.hpp"

/// The errors of the HTTP layer itself, E41xx.
namespace iotsky::api {

[[nodiscard]] Error not_json(std::string_view problem, std::size_t line, std::size_t column);
[[nodiscard]] Error wrong_fields(std::vector<FieldError> fields);
[[nodiscard]] Error no_such_route(std::string_view method, std::string_view path);
[[nodiscard]] Error method_not_allowed(std::string_view method, std::string_view allowed);
[[nodiscard]] Error wrong_host(std::string_view host);
[[nodiscard]] Error cross_origin(std::string_view origin);
[[nodiscard]] Error wrong_content_type(std::string_view given, std::string_view wanted);
[[nodiscard]] Error body_too_long(std::size_t bytes_max);
[[nodiscard]] Error header_too_long(std::size_t bytes_max);
[[nodiscard]] Error too_slow(long seconds);
[[nodiscard]] Error too_many_connections(std::size_t connections_max);
[[nodiscard]] Error too_busy(std::size_t waiting_max);
[[nodiscard]] Error no_credentials();
[[nodiscard]] Error bad_token();
[[nodiscard]] Error rank_too_low(Rank has, Rank needs);
[[nodiscard]] Error unix_peer_refused();
[[nodiscard]] Error unix_socket_only();
[[nodiscard]] Error out_of_scope(std::string_view object);
[[nodiscard]] Error too_many_wrong_tokens(std::string_view address, std::chrono::seconds wait);
[[nodiscard]] Error changed_meanwhile(std::string_view wanted, std::string_view current);
[[nodiscard]] Error bad_query(std::string_view name, std::string_view problem);
[[nodiscard]] Error bad_ticket();
[[nodiscard]] Error not_http(std::string_view problem);
[[nodiscard]] Error own_fault(std::string detail);
[[nodiscard]] Error broker_silent();

}  // namespace iotsky::api
