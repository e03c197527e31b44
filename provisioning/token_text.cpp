#include "provisioning/token_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "provisioning/sha256.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kPrefix = "iot_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kSecretDigits = 43;  // 62^43 > 2^256
constexpr std::size_t kCheckDigits = 2;
constexpr std::size_t kLength = kPrefix.size() + kSecretDigits + kCheckDigits;

/// Divides the big-endian number by 62 in place; returns the remainder.
unsigned divide(std::span<std::uint8_t> number) {
    unsigned remainder = 0;
    for (std::uint8_t& byte : number) {
        const unsigned value = remainder * 256 + byte;
        byte = static_cast<std::uint8_t>(value / 62);
        remainder = value % 62;
    }
    return remainder;
}

std::array<char, kCheckDigits> check_digits(std::string_view body) {
    const Sha256 hash = sha256(body);
    const unsigned sum = hash[0] * 256U + hash[1];
    return {kDigits[sum / 62 % 62], kDigits[sum % 62]};
}

}  // namespace

SecretString make_token(Random& random) {
    std::array<std::uint8_t, kSecretBytes> number{};
    random.fill(std::as_writable_bytes(std::span{number}));
    SecretString token = SecretString::of_length(kLength);
    char* out = std::copy(kPrefix.begin(), kPrefix.end(), token.data());
    for (std::size_t i = 0; i < kSecretDigits; ++i) {
        *out++ = kDigits[divide(number)];
    }
    const auto check = check_digits(token.view().substr(0, kLength - kCheckDigits));
    std::copy(check.begin(), check.end(), out);
    return token;
}

bool is_token(std::string_view text) {
    if (text.size() != kLength || !text.starts_with(kPrefix)) {
        return false;
    }
    const auto check = check_digits(text.substr(0, kLength - kCheckDigits));
    return std::equal(check.begin(), check.end(), text.end() - kCheckDigits);
}

}  // namespace iotsky::provisioning
