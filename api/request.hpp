#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/caller.hpp"

namespace iotsky::api {

struct Route;

enum class Method : std::uint8_t { get, post, patch, delete_ };

[[nodiscard]] std::string_view to_string(Method method) noexcept;

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Where a request came from.
struct Peer {
    std::string address;      ///< "127.0.0.1:50112" or "unix:uid=1000"; for logs.
    std::string account;      ///< Name of a trusted unix peer's account, else empty.
    std::string own_address;  ///< The address of ours that it reached, over TLS; else empty.
    bool tls = false;
    bool unix_socket = false;
    bool local = false;    ///< Unix socket or loopback address.
    bool trusted = false;  ///< Unix peer that is root, the daemon's user or in group iotsky.
};

/// A request as handlers see it: checked against its route's tables, decoded, its caller known.
struct Request {
    Method method = Method::get;
    std::string path;  ///< As sent, without the query.
    Pairs params;      ///< Values of the pattern's {names}, percent-decoded.
    Pairs query;       ///< Percent-decoded.
    std::string content_type;
    std::string authorization;
    std::string if_match;
    std::string idempotency_key;
    std::string request_id;
    std::string body;
    Peer peer;
    Caller caller{.role = Role::device, .actor = {}, .class_id = {}, .project_id = {}};
    const Route* route = nullptr;

    /// Value of {name} in the route's pattern; asserts that the pattern has it.
    [[nodiscard]] const std::string& param(std::string_view name) const;
    /// First value of a query parameter.
    [[nodiscard]] std::optional<std::string> query_value(std::string_view name) const;
    /// Whether ?name=true (or ?name, or =1) was given.
    [[nodiscard]] bool query_flag(std::string_view name) const;
    /// An integer that the router has checked already.
    [[nodiscard]] std::int64_t query_number(std::string_view name, std::int64_t fallback) const;
};

}  // namespace iotsky::api
