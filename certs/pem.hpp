#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/secret.hpp"

namespace iotsky::certs {

/// One block between BEGIN and END.
struct PemBlock {
    std::string label;            ///< "CERTIFICATE"
    bool old_encryption = false;  ///< Has headers (Proc-Type), as keys of the nineties do.
    SecretString der;             ///< May be a key, therefore wiped.
};

enum class PemFault : unsigned char {
    not_pem,        ///< Does not begin with "-----BEGIN ".
    broken,         ///< Bad base 64, or the END line is missing or different.
    trailing_bytes  ///< Something but white space after the END line.
};

/// Reads text that is exactly one PEM block with nothing but white space around it.
/// Thread: any (pure).
[[nodiscard]] std::variant<PemBlock, PemFault> read_pem(std::string_view text);

/// Whether `text` claims to be PEM (begins with dashes after white space) rather than DER.
[[nodiscard]] bool looks_like_pem(std::string_view text) noexcept;

/// "-----BEGIN label-----", lines of 64, "-----END label-----".
[[nodiscard]] std::string write_pem(std::string_view label, std::string_view der);

}  // namespace iotsky::certs
