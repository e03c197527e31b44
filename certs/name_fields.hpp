#pragma once

// Internal: included by .cpp files of certs/ only.

#include "certs/certificate.hpp"
#include "certs/ossl_ptr.hpp"

namespace iotsky::certs {

[[nodiscard]] NameFields read_name(const X509_NAME& name);
[[nodiscard]] NameFields read_alternative_names(const GENERAL_NAMES& names);

/// Text of 4 or 16 address bytes; hexadecimal for any other length.
[[nodiscard]] std::string address_text(std::string_view bytes);
/// 4 or 16 bytes of an IPv4 or IPv6 text; empty if it is none.
[[nodiscard]] std::string address_bytes(const std::string& text);

}  // namespace iotsky::certs
