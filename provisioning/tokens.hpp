#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.hpp"
#include "provisioning/core.hpp"
#include "provisioning/token_uses.hpp"

namespace iotsky::provisioning {

struct TokenRequest {
    std::string name;  ///< for people: 1-40 of [A-Za-z0-9_-]
    Role role = Role::teacher;
    std::string class_name;  ///< required for every role but admin
    std::string project;     ///< required for student
    std::optional<WallTime> expires_at;
};

struct TokenDetails {
    TokenRecord record;
    std::string class_name;
    std::string project;
};

struct CreatedToken {
    TokenDetails details;
    SecretString token;  ///< the only copy; only its SHA-256 is stored
};

/// Bearer tokens of the HTTP endpoint. Thread: `work`.
class Tokens {
  public:
    explicit Tokens(Core& core) noexcept : core_(core) {}

    /// Errors: E4104, E4117, E2107, E2111.
    [[nodiscard]] Result<CreatedToken> create(const Caller& caller, const TokenRequest& request);
    [[nodiscard]] Result<Listing<TokenDetails>> list(const Caller& caller, const PageRequest& page);
    /// For good; twice is not an error. Error: E4128.
    [[nodiscard]] Result<TokenRecord> revoke(const Caller& caller, std::string_view token_id);
    /// Who the bearer of `token` is. Its last use is noted, at most once in 5 minutes. Error: E4116
    /// for anything that is not a live token, whatever the reason.
    [[nodiscard]] Result<Caller> authenticate(std::string_view token);
    /// For uses over MQTT, which write_uses() notes as authenticate() would have.
    [[nodiscard]] TokenUses& uses() noexcept { return uses_; }
    /// Error: E53xx, and those uses are not noted.
    [[nodiscard]] Result<void> write_uses() { return write(uses_.take()); }

  private:
    [[nodiscard]] Result<void> write(const std::map<Id, WallTime>& uses);

    Core& core_;
    TokenUses uses_;
};

}  // namespace iotsky::provisioning
