#include "certs/fingerprint.hpp"

#include <openssl/sha.h>

#include "base/text.hpp"
#include "certs/hex.hpp"
#include "certs/words.hpp"

namespace iotsky::certs {

Fingerprint Fingerprint::of(std::span<const std::uint8_t> der) {
    Fingerprint fingerprint;
    SHA256(der.data(), der.size(), fingerprint.bytes.data());
    return fingerprint;
}

std::optional<Fingerprint> Fingerprint::parse(std::string_view text) {
    std::string digits{text};
    if (text.size() == 95) {
        digits.clear();
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (i % 3 == 2 && text[i] != ':') {
                return std::nullopt;
            }
            if (i % 3 != 2) {
                digits += text[i];
            }
        }
    }
    Fingerprint fingerprint;
    if (!parse_hex(digits, fingerprint.bytes)) {
        return std::nullopt;
    }
    return fingerprint;
}

std::string Fingerprint::hex() const {
    return to_hex(bytes);
}

std::string Fingerprint::colon_hex() const {
    std::string out;
    for (const char c : hex()) {
        if (out.size() % 3 == 2) {
            out += ':';
        }
        out += c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return out;
}

std::string Fingerprint::words() const {
    std::string out;
    for (std::size_t i = 0; i < 4; ++i) {
        out += i == 0 ? "" : "-";
        out += kWords[bytes[i]];
    }
    return out;
}

}  // namespace iotsky::certs
