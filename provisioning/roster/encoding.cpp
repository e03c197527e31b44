#include "provisioning/roster/encoding.hpp"

#include <array>
#include <cstdint>

#include "base/text.hpp"

namespace iotsky::provisioning {
namespace {

/// 0x80 to 0x9f of Windows-1252; 0 where it defines nothing. The rest is as in Unicode.
constexpr std::array<std::uint16_t, 32> kWindows1252{
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

/// Shown for a byte that has no meaning.
constexpr std::uint32_t kReplacement = 0xfffd;

/// Code points below U+10000 only.
void append_code_point(std::string& out, std::uint32_t point) {
    if (point < 0x80) {
        out += static_cast<char>(point);
    } else if (point < 0x800) {
        out += static_cast<char>(0xc0U | (point >> 6));
        out += static_cast<char>(0x80U | (point & 0x3fU));
    } else {
        out += static_cast<char>(0xe0U | (point >> 12));
        out += static_cast<char>(0x80U | ((point >> 6) & 0x3fU));
        out += static_cast<char>(0x80U | (point & 0x3fU));
    }
}

std::string from_windows1252(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        std::uint32_t point = byte;
        if (byte >= 0x80 && byte < 0xa0) {
            const std::uint16_t mapped = kWindows1252[byte - 0x80U];
            point = mapped == 0 ? kReplacement : mapped;
        }
        append_code_point(out, point);
    }
    return out;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

Result<std::string> to_utf8(std::string_view bytes) {
    const bool utf16 = bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff");
    if (utf16 || bytes.find('\0') != std::string_view::npos) {
        return make_error(Errc::invalid_argument, "E2125", "The file is not a text file.",
                          "It is UTF-16, or a spreadsheet's own format.",
                          "Save it as CSV (UTF-8) and try again.");
    }
    if (bytes.starts_with("\xef\xbb\xbf")) {
        bytes.remove_prefix(3);
    }
    return is_utf8(bytes) ? std::string{bytes} : from_windows1252(bytes);
}

}  // namespace iotsky::provisioning
