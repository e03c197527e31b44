#pragma once

#include <span>
#include <string_view>

#include "certs/fingerprint.hpp"
#include "provisioning/records.hpp"

namespace iotsky::provisioning {

/// SHA-256 of any text (tokens, audit entries, requests). Thread: any (pure).
[[nodiscard]] inline Sha256 sha256(std::string_view text) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    return certs::Fingerprint::of(std::span{bytes, text.size()}).bytes;
}

}  // namespace iotsky::provisioning
