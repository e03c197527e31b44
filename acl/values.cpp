#include "acl/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstring>

namespace iotsky::acl {
namespace {

using Address = std::array<std::uint8_t, 16>;
constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool all_digits(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_digit);
}

/// Takes exactly `digits` digits off the front; -1 if they are not there.
int take_digits(std::string_view& text, std::size_t digits) noexcept {
    int value = -1;
    if (text.size() >= digits && all_digits(text.substr(0, digits))) {
        std::from_chars(text.data(), text.data() + digits, value);
        text.remove_prefix(digits);
    }
    return value;
}

bool take(std::string_view& text, char c) noexcept {
    if (text.empty() || text[0] != c) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

std::optional<std::int64_t> take_day_ms(std::string_view& text) noexcept {
    using namespace std::chrono;
    const int y = take_digits(text, 4);
    const bool dash = take(text, '-');
    const int m = take_digits(text, 2);
    const bool second_dash = take(text, '-');
    const int d = take_digits(text, 2);
    if (y < 0 || m < 0 || d < 0 || !dash || !second_dash) {
        return std::nullopt;
    }
    const year_month_day date{year(y), month(static_cast<unsigned>(m)),
                              day(static_cast<unsigned>(d))};
    if (!date.ok()) {
        return std::nullopt;
    }
    return milliseconds(sys_days(date).time_since_epoch()).count();
}

/// Digits behind a "."; only milliseconds count.
std::optional<int> take_fraction_ms(std::string_view& text) noexcept {
    if (!take(text, '.')) {
        return 0;
    }
    int ms = 0;
    int weight = 100;
    std::size_t digits = 0;
    for (; !text.empty() && is_digit(text[0]); ++digits, text.remove_prefix(1)) {
        ms += (text[0] - '0') * weight;
        weight /= 10;
    }
    return digits == 0 ? std::nullopt : std::optional(ms);
}

/// "T09:14", "T09:14:31", "T09:14:31.5"
std::optional<std::int64_t> take_clock_ms(std::string_view& text) noexcept {
    const int h = take_digits(text, 2);
    const bool colon = take(text, ':');
    const int m = take_digits(text, 2);
    if (!colon || h < 0 || h > 23 || m < 0 || m > 59) {
        return std::nullopt;
    }
    int s = 0;
    int ms = 0;
    if (take(text, ':')) {
        s = take_digits(text, 2);
        const auto fraction = take_fraction_ms(text);
        if (s < 0 || s > 60 || !fraction) {
            return std::nullopt;
        }
        ms = *fraction;
    }
    return (std::int64_t{h} * 3600 + std::int64_t{m} * 60 + s) * 1000 + ms;
}

/// "Z", "+02:00", "-0530"
std::optional<std::int64_t> take_zone_ms(std::string_view& text) noexcept {
    if (take(text, 'Z')) {
        return 0;
    }
    const bool minus = take(text, '-');
    if (!minus && !take(text, '+')) {
        return std::nullopt;
    }
    const int h = take_digits(text, 2);
    take(text, ':');
    const int m = take_digits(text, 2);
    if (h < 0 || h > 14 || m < 0 || m > 59) {
        return std::nullopt;
    }
    const std::int64_t ms = (std::int64_t{h} * 60 + m) * 60'000;
    return minus ? -ms : ms;
}

std::optional<std::int64_t> parse_epoch_ms(std::string_view text) noexcept {
    std::int64_t seconds = 0;
    if (text.size() > 12) {
        return std::nullopt;
    }
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return seconds * 1000;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<double> parse_number(std::string_view text) noexcept {
    double value = 0;
    const char* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end || !std::isfinite(value)) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::int64_t> parse_date_ms(std::string_view text) noexcept {
    if (all_digits(text)) {
        return parse_epoch_ms(text);
    }
    const auto day = take_day_ms(text);
    if (!day || text.empty()) {
        return day;
    }
    if (!take(text, 'T')) {
        return std::nullopt;
    }
    const auto clock = take_clock_ms(text);
    const auto zone = clock ? take_zone_ms(text) : std::nullopt;
    if (!zone || !text.empty()) {
        return std::nullopt;
    }
    return *day + *clock - *zone;
}

std::optional<bool> parse_bool(std::string_view text) noexcept {
    if (equal_ignoring_case(text, "true")) {
        return true;
    }
    return equal_ignoring_case(text, "false") ? std::optional(false) : std::nullopt;
}

bool IpRange::contains(const Address& other) const noexcept {
    int bits = prefix_bits;
    for (std::size_t i = 0; i < address.size() && bits > 0; ++i, bits -= 8) {
        const unsigned mask =
            bits >= 8 ? 0xffU : (0xffU << static_cast<unsigned>(8 - bits)) & 0xffU;
        if ((address[i] & mask) != (other[i] & mask)) {
            return false;
        }
    }
    return true;
}

std::optional<Address> parse_address(std::string_view text) noexcept {
    text = text.substr(0, text.find('%'));
    std::array<char, INET6_ADDRSTRLEN + 1> buffer{};
    if (text.size() >= buffer.size() || text.find('\0') != text.npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), buffer.begin());
    Address address{};
    if (inet_pton(AF_INET6, buffer.data(), address.data()) == 1) {
        return address;
    }
    std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), address.begin());
    if (inet_pton(AF_INET, buffer.data(), address.data() + kMappedPrefix.size()) == 1) {
        return address;
    }
    return std::nullopt;
}

std::optional<IpRange> parse_ip_range(std::string_view text) noexcept {
    const std::size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    const auto address = host.find('%') == host.npos ? parse_address(host) : std::nullopt;
    if (!address) {
        return std::nullopt;
    }
    IpRange range{*address, 128};
    if (slash != text.npos) {
        const std::string_view digits = text.substr(slash + 1);
        const int offset = host.find(':') == host.npos ? 96 : 0;
        if (!all_digits(digits) || digits.size() > 3) {
            return std::nullopt;
        }
        int bits = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), bits);
        range.prefix_bits = bits + offset;
    }
    return range.prefix_bits <= 128 ? std::optional(range) : std::nullopt;
}

std::string normal_address(const std::string& text) {
    const auto address = parse_address(text);
    if (!address) {
        return text;
    }
    std::array<char, INET6_ADDRSTRLEN> out{};
    const bool mapped = std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address->begin());
    const void* bytes = mapped ? address->data() + kMappedPrefix.size() : address->data();
    inet_ntop(mapped ? AF_INET : AF_INET6, bytes, out.data(), out.size());
    return out.data();
}

}  // namespace iotsky::acl
