#pragma once

// Internal: included by .cpp files of certs/ only.

#include "base/error.hpp"
#include "certs/ossl_ptr.hpp"
#include "certs/public_key.hpp"

namespace iotsky::certs {

inline constexpr int kRsaBitsMin = 2048;
inline constexpr int kRsaBitsMax = 4096;

/// What `key` is; `other` for everything that we do not sign.
[[nodiscard]] PublicKey describe(const EVP_PKEY& key);
/// Null when the bytes are no key.
[[nodiscard]] ossl::Pkey to_pkey(const PublicKey& key);
/// E5224 kind, E5225 size: whether we sign a certificate for this key.
[[nodiscard]] Result<void> check_key(const PublicKey& key);

}  // namespace iotsky::certs
