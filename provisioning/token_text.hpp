#pragma once

#include <span>
#include <string_view>

#include "base/random.hpp"
#include "base/secret.hpp"

namespace iotsky::provisioning {

/// A new bearer token: "iot_", 32 random bytes in base 62 (43 digits), 2 check digits.
[[nodiscard]] SecretString make_token(Random& random);

/// Whether the text has the form of a token and its check digits fit: a typing error is told apart
/// without asking the registry. Thread: any (pure).
[[nodiscard]] bool is_token(std::string_view text);

}  // namespace iotsky::provisioning
