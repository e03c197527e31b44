#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acl/rule_set.hpp"
#include "base/error.hpp"
#include "provisioning/caller.hpp"
#include "provisioning/records.hpp"
#include "provisioning/store.hpp"

namespace iotsky::provisioning {

struct ClassView;

/// How far down a token's rights begin, whether or not what it names is still there.
enum class Narrowing : std::uint8_t { none, to_class, to_project };

/// What the registry says of one token of the API.
struct TokenFields {
    Id id;
    Sha256 sha256{};
    std::string scope;  ///< of its sessions (decisions 5): "to_..."
    std::string name;   ///< for people: "token laptop"
    Role role = Role::projector;
    Narrowing narrowing = Narrowing::none;
    std::shared_ptr<const ClassView> class_view;  ///< null: of no class
    std::string project;                          ///< narrows to one; empty: to none
    std::optional<WallTime> expires_at;
    bool revoked = false;
    /// The registry could not be read after a change that may concern it: nothing is allowed until
    /// it can.
    bool unreadable = false;
    std::uint64_t version = 0;  ///< grows with every publication of the table
};

/// Everything that CONNECT asks about one token. Immutable (rules are compiled at their first use);
/// any thread.
class TokenView : public TokenFields {
  public:
    TokenView() = default;
    explicit TokenView(const TokenFields& fields) : TokenFields(fields) {}

    /// What its user may do over MQTT, compiled; null: nothing. Teachers, assistants and projectors
    /// read their class and the teacher writes on its board; an admin reads everything and writes
    /// on every board. Narrowed to a project a token of any role reads that, board and commons (by
    /// strict_isolation the project alone), and only a student's writes: in the commons.
    [[nodiscard]] std::shared_ptr<const acl::RuleSet> rules() const;
    /// Why it may not connect at `now`; none when it may. E2102 its class is over, E3309 ended,
    /// revoked or without rights, E5304 unreadable.
    [[nodiscard]] std::optional<Error> refusal(WallTime now) const;
    /// From then on it has no rights: the earlier of its own end and that of its class.
    [[nodiscard]] std::optional<WallTime> valid_until() const;

  private:
    mutable std::once_flag compiled_;
    mutable std::shared_ptr<const acl::RuleSet> rules_;
};

/// All tokens, as one commit left them. Immutable.
class TokenTable {
  public:
    /// Reads them all, in one query: tokens are people's, so there are few. `class_of` finds a
    /// class by its id.
    using ClassOf = std::function<std::shared_ptr<const ClassView>(const Id& id)>;
    [[nodiscard]] static std::shared_ptr<const TokenTable> read(Reader& reader,
                                                                const ClassOf& class_of,
                                                                std::uint64_t version);

    /// The same with every token unreadable that `affected` may concern.
    [[nodiscard]] std::shared_ptr<const TokenTable> denied(const Affected& affected,
                                                           std::uint64_t version) const;
    /// Whether a token may be missing here, because the registry could not be read.
    [[nodiscard]] bool incomplete() const noexcept { return incomplete_; }

    /// By the text itself; null: unknown, whatever is wrong with it.
    [[nodiscard]] std::shared_ptr<const TokenView> find(std::string_view token) const;
    [[nodiscard]] std::shared_ptr<const TokenView> by_scope(std::string_view scope) const;
    /// Scopes of tokens of `before` that are gone or may have other rights here.
    [[nodiscard]] std::vector<std::string> changed_since(const TokenTable& before) const;

  private:
    void add(std::shared_ptr<const TokenView> view);

    bool incomplete_ = false;
    std::map<Sha256, std::shared_ptr<const TokenView>> by_hash_;
    std::map<std::string, std::shared_ptr<const TokenView>, std::less<>> by_scope_;
};

}  // namespace iotsky::provisioning
