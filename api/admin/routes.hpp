#pragma once

#include <span>

#include "api/route.hpp"

/// The rows of each resource; api/table.cpp joins them.
namespace iotsky::api {

[[nodiscard]] std::span<const Route> class_routes();
[[nodiscard]] std::span<const Route> student_routes();
[[nodiscard]] std::span<const Route> project_routes();
[[nodiscard]] std::span<const Route> thing_routes();
[[nodiscard]] std::span<const Route> bundle_routes();
[[nodiscard]] std::span<const Route> certificate_routes();
[[nodiscard]] std::span<const Route> policy_routes();
[[nodiscard]] std::span<const Route> explain_routes();
[[nodiscard]] std::span<const Route> connection_routes();
[[nodiscard]] std::span<const Route> session_routes();
[[nodiscard]] std::span<const Route> message_routes();
[[nodiscard]] std::span<const Route> refusal_routes();
[[nodiscard]] std::span<const Route> event_routes();
[[nodiscard]] std::span<const Route> token_routes();
[[nodiscard]] std::span<const Route> status_routes();
[[nodiscard]] std::span<const Route> metrics_routes();
[[nodiscard]] std::span<const Route> ca_routes();
[[nodiscard]] std::span<const Route> config_routes();
[[nodiscard]] std::span<const Route> chain_routes();
[[nodiscard]] std::span<const Route> backup_routes();

}  // namespace iotsky::api
