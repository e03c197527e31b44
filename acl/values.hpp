#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace iotsky::acl {

/// Letters A to Z only; other bytes are compared as they are.
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// A decimal number, "-1.5e3"; nothing else before or after it. Does not allocate.
[[nodiscard]] std::optional<double> parse_number(std::string_view text) noexcept;

/// Milliseconds since 1970 of an ISO 8601 date ("2026-11-23", "2026-11-23T09:14:31Z", with fraction
/// or "+02:00"), or of whole seconds since 1970 ("1795416239"). Does not allocate.
[[nodiscard]] std::optional<std::int64_t> parse_date_ms(std::string_view text) noexcept;

/// "true" or "false" in any letter case.
[[nodiscard]] std::optional<bool> parse_bool(std::string_view text) noexcept;

/// An IPv4 or IPv6 address or network. IPv4 is kept as ::ffff:a.b.c.d, so that a client that came
/// in through a dual-stack socket is found under its IPv4 network.
struct IpRange {
    std::array<std::uint8_t, 16> address{};
    int prefix_bits = 128;

    [[nodiscard]] bool contains(const std::array<std::uint8_t, 16>& other) const noexcept;
};

/// "10.0.0.0/8", "10.1.2.3", "2001:db8::/32". Bits behind the prefix do not count.
[[nodiscard]] std::optional<IpRange> parse_ip_range(std::string_view text) noexcept;

/// An address without a prefix; a zone ("%eth0") is left out. Does not allocate.
[[nodiscard]] std::optional<std::array<std::uint8_t, 16>> parse_address(
    std::string_view text) noexcept;

/// The address in its usual text, ::ffff:10.0.0.1 as 10.0.0.1; what is no address as it is.
[[nodiscard]] std::string normal_address(const std::string& text);

}  // namespace iotsky::acl
