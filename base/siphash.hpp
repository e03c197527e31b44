#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace iotsky {

/// Key of a keyed hash; made at start, never leaves the process.
struct HashKey {
    std::uint64_t k0 = 0;
    std::uint64_t k1 = 0;
};

/// SipHash-2-4 (Aumasson, Bernstein 2012). For text that a peer chose wherever the result decides a
/// place (hash tables, home threads): without the key nobody can aim at one. Cost: about 1 ns per
/// byte.
[[nodiscard]] std::uint64_t siphash24(const HashKey& key, std::string_view text) noexcept;

/// SipHash-1-3: the same with fewer rounds, for the hot path.
[[nodiscard]] std::uint64_t siphash13(const HashKey& key, std::string_view text) noexcept;

/// The process's key, drawn once at first use. Thread: any.
[[nodiscard]] const HashKey& process_hash_key() noexcept;

/// The simulation's door: the same seed shall give the same places. Before the first use of the key
/// only.
void fix_process_hash_key_for_test(const HashKey& key) noexcept;

/// Hasher for containers keyed by text that a peer chose; transparent (string and string_view).
struct KeyedHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
        return siphash13(process_hash_key(), text);
    }
};

}  // namespace iotsky
