#pragma once

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

/// Everything that CONNECT asks about one token of the API. Immutable (rules are compiled at their
/// first use); any thread.
class TokenView {
  public:
    Sha256 sha256{};
    std::string scope;  ///< of its sessions (decisions 5): "to_..."
    std::string name;   ///< for people: "token laptop"
    Role role = Role::projector;
    std::shared_ptr<const ClassView> class_view;  ///< null: of no class
    std::string project;                          ///< narrows to one; empty: to none
    std::optional<WallTime> expires_at;
    bool revoked = false;
    std::uint64_t version = 0;  ///< grows with every publication of the table

    /// What its user may do over MQTT, compiled; null: nothing. Teachers, assistants and projectors
    /// read their class and the teacher writes on its board; a student reads project, board and
    /// commons and writes in the commons; an admin reads everything and writes on every board.
    [[nodiscard]] std::shared_ptr<const acl::RuleSet> rules() const;
    /// Why it may not connect at `now`; none when it may. E2102 its class is over, E3309 ended,
    /// revoked or without rights.
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
    /// Reads them all: tokens are people's, so there are few. `class_of` finds a class by its id.
    using ClassOf = std::function<std::shared_ptr<const ClassView>(const Id& id)>;
    [[nodiscard]] static std::shared_ptr<const TokenTable> read(Reader& reader,
                                                                const ClassOf& class_of,
                                                                std::uint64_t version);

    /// By the text itself; null: unknown, whatever is wrong with it.
    [[nodiscard]] std::shared_ptr<const TokenView> find(std::string_view token) const;
    [[nodiscard]] std::shared_ptr<const TokenView> by_scope(std::string_view scope) const;
    /// Scopes of tokens of `before` that are gone or may have other rights here.
    [[nodiscard]] std::vector<std::string> changed_since(const TokenTable& before) const;

  private:
    std::map<Sha256, std::shared_ptr<const TokenView>> by_hash_;
    std::map<std::string, std::shared_ptr<const TokenView>, std::less<>> by_scope_;
};

}  // namespace iotsky::provisioning
