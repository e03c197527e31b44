#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/route.hpp"
#include "base/error.hpp"

/// Checks that need no caller, made before anything is read or looked up. Thread: any (pure).
namespace iotsky::api {

/// What the browser checks read.
struct OriginFacts {
    std::string_view host;            ///< Host header, with its port.
    std::string_view origin;          ///< Empty: no such header.
    std::string_view sec_fetch_site;  ///< Empty: no such header.
    bool tls = false;                 ///< Whether our pages are https.
};

/// Against DNS rebinding: Host must be localhost, a loopback address, one of `names` (lower case)
/// or `own_address`, the address of ours that the peer reached (empty: not known). Error: E4107.
[[nodiscard]] Result<void> check_host(std::string_view host, std::span<const std::string> names,
                                      std::string_view own_address = {});

/// Against requests of other web pages. Error: E4108.
[[nodiscard]] Result<void> check_origin(const OriginFacts& facts);

/// A body must have the type that its route reads; an empty one needs none. Error: E4109.
[[nodiscard]] Result<void> check_content_type(BodyKind kind, std::string_view content_type,
                                              bool has_body);

/// 1-64 of [A-Za-z0-9._-].
[[nodiscard]] bool is_valid_request_id(std::string_view id) noexcept;

}  // namespace iotsky::api
