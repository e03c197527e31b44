#include "base/siphash.hpp"

#include <bit>
#include <cstring>

#include "base/random.hpp"

namespace iotsky {
namespace {

struct State {
    std::uint64_t v0, v1, v2, v3;

    void round() noexcept {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
};

std::uint64_t load_le(const char* p) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    if constexpr (std::endian::native == std::endian::big) {
        word = __builtin_bswap64(word);
    }
    return word;
}

/// The last 0 to 7 bytes. Shifts, because memcpy of a length not known beforehand is a call, which
/// costs as much as all the rounds of a short topic.
std::uint64_t load_tail(const char* p, std::size_t n) noexcept {
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < n; ++i) {
        word |= std::uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    }
    return word;
}

template <int kCompress, int kFinish>
std::uint64_t siphash(const HashKey& key, std::string_view text) noexcept {
    State s{key.k0 ^ 0x736f6d6570736575U, key.k1 ^ 0x646f72616e646f6dU,
            key.k0 ^ 0x6c7967656e657261U, key.k1 ^ 0x7465646279746573U};
    const char* p = text.data();
    std::size_t left = text.size();
    for (; left >= 8; p += 8, left -= 8) {
        const std::uint64_t word = load_le(p);
        s.v3 ^= word;
        for (int i = 0; i < kCompress; ++i) {
            s.round();
        }
        s.v0 ^= word;
    }
    const std::uint64_t last =
        (static_cast<std::uint64_t>(text.size()) << 56U) | load_tail(p, left);
    s.v3 ^= last;
    for (int i = 0; i < kCompress; ++i) {
        s.round();
    }
    s.v0 ^= last;
    s.v2 ^= 0xffU;
    for (int i = 0; i < kFinish; ++i) {
        s.round();
    }
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace

std::uint64_t siphash24(const HashKey& key, std::string_view text) noexcept {
    return siphash<2, 4>(key, text);
}

std::uint64_t siphash13(const HashKey& key, std::string_view text) noexcept {
    return siphash<1, 3>(key, text);
}

namespace {

const HashKey* fixed_key = nullptr;

}  // namespace

const HashKey& process_hash_key() noexcept {
    static const HashKey key = [] {
        if (fixed_key != nullptr) {
            return *fixed_key;
        }
        SystemRandom random;
        return HashKey{random.next_u64(), random.next_u64()};
    }();
    return key;
}

void fix_process_hash_key_for_test(const HashKey& key) noexcept {
    static const HashKey kept = key;
    fixed_key = &kept;
}

}  // namespace iotsky
