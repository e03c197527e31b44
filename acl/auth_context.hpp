#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "acl/action.hpp"
#include "acl/rule_set.hpp"
#include "base/clock.hpp"

namespace iotsky::acl {

/// What is known about one connection (or one HTTP request); whatever is absent is a variable
/// without a value. Texts are taken literally, never as patterns.
struct Attributes {
    std::optional<std::string> client_id;    ///< Client Identifier.
    std::optional<std::string> source_ip;    ///< Address without port, IPv4 or IPv6.
    std::optional<std::string> domain_name;  ///< Server name of the TLS handshake.
    /// Name, type and attributes of the thing that the certificate is attached to. AWS sets them
    /// only when the Client Identifier is the thing's name; the caller decides.
    std::optional<std::string> thing_name;
    std::optional<std::string> thing_type;
    std::map<std::string, std::string> thing_attributes;
    std::optional<bool> thing_attached;
    /// Fields of the certificate's subject and issuer under AWS's names ("CommonName",
    /// "OrganizationalUnit"); several values of one field in the order of the certificate.
    std::multimap<std::string, std::string> subject;
    std::multimap<std::string, std::string> issuer;
    /// "DNSName", "RFC822Name", "DirectoryName", "UniformResourceIdentifier", "RegisteredId".
    std::multimap<std::string, std::string> subject_alternative_name;
    std::multimap<std::string, std::string> issuer_alternative_name;
    std::optional<std::string> certificate_serial;
    std::optional<std::string> certificate_id;
};

/// The answer to one request.
struct Verdict {
    bool allowed = false;
    /// Whether the same request to the same context gets the same answer later; false when a rule
    /// that looks at the time or the address had a say. `valid_until` does not count: at that
    /// moment the context itself is replaced.
    bool cacheable = true;
    friend bool operator==(const Verdict&, const Verdict&) = default;
};

/// Values of `RequestContext::connect_attributes`.
inline constexpr std::string_view kPersistentConnect = "PersistentConnect";
inline constexpr std::string_view kLastWill = "LastWill";

/// One request with all that a condition can look at.
struct RequestContext {
    Action action = Action::connect;
    std::string_view
        resource;  ///< Without prefix: the Topic Name, Topic Filter, Client Identifier.
    WallTime now;
    /// `iot:ConnectAttributes`: of kPersistentConnect and kLastWill, what the CONNECT asks for.
    std::span<const std::string_view> connect_attributes{};
};

/// Whether a subscription may be fed without asking for each topic.
enum class ReceiveClass : std::uint8_t {
    all,    ///< Every topic that the filter can match may be received, at any time.
    check,  ///< Evaluate Action::receive for each topic.
    none,   ///< No topic that the filter can match may be received.
};

struct OwnRules;  // acl/rule.hpp

/// The rights of one connection: the principal's rules with the connection's attributes put in.
/// Thread: immutable; any thread may evaluate.
class AuthContext {
  public:
    /// Puts the attributes in place of the variables and decides what can be decided now:
    /// conditions on attributes, statements that can never match. A statement whose variable has no
    /// value does not match; when that is a Deny, warnings() says so.
    ///
    /// @param valid_until  When the identity itself ends (certificate, class). From then on
    /// everything
    ///                     is refused. A right that ends by itself is a Date condition, not this.
    [[nodiscard]] static std::shared_ptr<const AuthContext> make(
        std::shared_ptr<const RuleSet> rules, const Attributes& attributes,
        std::optional<WallTime> valid_until);

    AuthContext(std::shared_ptr<const RuleSet> rules, std::unique_ptr<const OwnRules> own,
                std::string identity, std::optional<WallTime> valid_until);
    ~AuthContext();
    AuthContext(const AuthContext&) = delete;
    AuthContext& operator=(const AuthContext&) = delete;

    /// Explicit deny wins, default is deny. Cost: linear in the rules for this action; does not
    /// allocate, does not throw.
    [[nodiscard]] Verdict evaluate(Action action, std::string_view resource,
                                   WallTime now) const noexcept;
    [[nodiscard]] Verdict evaluate(const RequestContext& request) const noexcept;

    /// How deliveries to a subscription with this (canonical, valid) Topic Filter are checked.
    /// `all` and `none` are proven; what cannot be proven is `check`.
    [[nodiscard]] ReceiveClass receive_class(std::string_view topic_filter) const;

    /// What a person who wrote the policies should know, one line each.
    [[nodiscard]] const std::vector<std::string>& warnings() const noexcept;
    [[nodiscard]] std::optional<WallTime> valid_until() const noexcept { return valid_until_; }
    [[nodiscard]] const RuleSet& rules() const noexcept { return *rules_; }
    /// Who this is, for people: "7b/otter/weather", else the thing, certificate or client.
    [[nodiscard]] const std::string& identity() const noexcept { return identity_; }
    /// Null when no statement depends on the connection.
    [[nodiscard]] const OwnRules* own() const noexcept { return own_.get(); }

  private:
    std::shared_ptr<const RuleSet> rules_;
    std::unique_ptr<const OwnRules> own_;
    std::string identity_;
    std::optional<WallTime> valid_until_;
};

}  // namespace iotsky::acl
