#pragma once

#include <string>
#include <string_view>

namespace iotsky {

/// The name part of what a Host header or "host:port" says: "[::1]:9880" -> "::1",
/// "LocalHost:80" -> "localhost", "localhost." -> "localhost"; empty if it is no host.
/// Thread: any (pure); likewise the others.
[[nodiscard]] std::string host_name(std::string_view host);

/// Whether it is an IPv4 or IPv6 address, without brackets.
[[nodiscard]] bool is_address(std::string_view name);

/// Whether nothing outside this machine can reach it: "localhost", ::1, 127.0.0.0/8 (digits and
/// dots only: "127.evil.example" is a name).
[[nodiscard]] bool is_loopback(std::string_view name) noexcept;

}  // namespace iotsky
