#include "base/id.hpp"

#include <cstring>

namespace iotsky {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kTextLength = 26;  // 128 bits in groups of 5, the first group has 3

}  // namespace

Id Id::random(Random& random) {
    Id id;
    random.fill(std::as_writable_bytes(std::span{id.bytes}));
    return id;
}

std::string Id::format(std::string_view prefix) const {
    std::string text{prefix};
    text += '_';
    // Bit i of the 130-bit string has two zero bits in front of the 128.
    for (std::size_t group = 0; group < kTextLength; ++group) {
        unsigned value = 0;
        for (std::size_t bit = group * 5; bit < group * 5 + 5; ++bit) {
            value <<= 1U;
            if (bit >= 2) {
                const std::size_t index = bit - 2;
                value |= (static_cast<unsigned>(bytes[index / 8]) >> (7 - index % 8)) & 1U;
            }
        }
        text += kAlphabet[value];
    }
    return text;
}

std::optional<Id> Id::parse(std::string_view prefix, std::string_view text) {
    if (text.size() != prefix.size() + 1 + kTextLength || !text.starts_with(prefix) ||
        text[prefix.size()] != '_') {
        return std::nullopt;
    }
    text.remove_prefix(prefix.size() + 1);
    Id id;
    for (std::size_t group = 0; group < kTextLength; ++group) {
        const std::size_t value = kAlphabet.find(text[group]);
        if (value == std::string_view::npos || (group == 0 && value > 7)) {
            return std::nullopt;
        }
        for (std::size_t k = 0; k < 5; ++k) {
            const std::size_t bit = group * 5 + k;
            if (bit >= 2 && ((value >> (4 - k)) & 1U) != 0) {
                const std::size_t index = bit - 2;
                id.bytes[index / 8] =
                    static_cast<std::uint8_t>(id.bytes[index / 8] | (0x80U >> (index % 8)));
            }
        }
    }
    return id;
}

}  // namespace iotsky

std::size_t std::hash<iotsky::Id>::operator()(const iotsky::Id& id) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, id.bytes.data(), sizeof value);
    return value;
}
