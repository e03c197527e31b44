#pragma once

#include <array>
#include <string_view>

namespace iotsky::certs {

/// One word for each byte: short, concrete, told apart by ear. The order must never change, or a
/// fingerprint that a class wrote down would read differently.
extern const std::array<std::string_view, 256> kWords;

}  // namespace iotsky::certs
