#include "provisioning/token_view.hpp"

#include <algorithm>
#include <boost/json.hpp>

#include "acl/policy.hpp"
#include "acl/user_rules.hpp"
#include "base/assert.hpp"
#include "base/text.hpp"
#include "provisioning/names.hpp"
#include "provisioning/registry_view.hpp"
#include "provisioning/sha256.hpp"
#include "provisioning/token_text.hpp"
#include "provisioning/view_loader.hpp"

namespace iotsky::provisioning {
namespace {

namespace json = boost::json;

/// Trees of topics, as patterns of policies: "7b/*".
struct Trees {
    std::vector<std::string> read;
    std::vector<std::string> write;
};

/// Of all that a class holds.
Trees class_trees(const TokenView& token) {
    const std::string& name = token.class_view->name;
    switch (token.role) {
        case Role::admin:
        case Role::teacher:
            return {{name + "/*"}, {name + "/board/*"}};
        case Role::assistant:
        case Role::projector:
            return {{name + "/*"}, {}};
        case Role::student:
        case Role::device:
            break;
    }
    return {};
}

/// Of one project: what its things may read, and nothing of the others.
Trees project_trees(const TokenView& token) {
    const ClassView& in = *token.class_view;
    Trees trees{{in.name + "/" + token.project + "/*"}, {}};
    if (!in.settings.strict_isolation) {
        trees.read.push_back(in.name + "/board/*");
        trees.read.push_back(in.name + "/commons/*");
        if (token.role == Role::student) {
            trees.write.push_back(in.name + "/commons/*");
        }
    }
    return trees;
}

/// A token whose class or project is not there reaches nothing: in doubt, deny.
Trees trees_of(const TokenView& token) {
    if (token.role == Role::device) {
        return {};
    }
    switch (token.narrowing) {
        case Narrowing::none:
            return token.role == Role::admin ? Trees{{"*"}, {"*/board/*"}} : Trees{};
        case Narrowing::to_class:
            return token.class_view == nullptr ? Trees{} : class_trees(token);
        case Narrowing::to_project:
            return token.class_view == nullptr || token.project.empty() ? Trees{}
                                                                        : project_trees(token);
    }
    return {};
}

json::object allow(std::initializer_list<std::string_view> actions, std::string_view kind,
                   const std::vector<std::string>& patterns) {
    json::array resources;
    for (const std::string& pattern : patterns) {
        resources.emplace_back("arn:aws:iot:::" + std::string{kind} + "/" + pattern);
    }
    return {{"Effect", "Allow"},
            {"Action", json::array(actions.begin(), actions.end())},
            {"Resource", std::move(resources)}};
}

std::string document_of(const Trees& trees) {
    json::array statements{allow({"iot:Connect"}, "client", {"*"}),
                           allow({"iot:Subscribe"}, "topicfilter", trees.read),
                           allow({"iot:Receive"}, "topic", trees.read)};
    if (!trees.write.empty()) {
        statements.push_back(allow({"iot:Publish", "iot:RetainPublish"}, "topic", trees.write));
    }
    return json::serialize(
        json::object{{"Version", "2012-10-17"}, {"Statement", std::move(statements)}});
}

std::shared_ptr<const acl::RuleSet> compile(const TokenView& token) {
    const Trees trees = trees_of(token);
    if (trees.read.empty()) {
        return nullptr;
    }
    auto policy = acl::parse_policy(document_of(trees));
    IOTSKY_ASSERT(policy.has_value());  // names hold nothing that JSON or a pattern could misread
    auto rules =
        acl::compile_user(token.name, {"role " + std::string{to_string(token.role)}, "1",
                                       std::make_shared<const acl::Policy>(*std::move(policy))});
    return rules ? *std::move(rules) : nullptr;
}

Error not_accepted(const TokenView& token, std::string why) {
    return make_error(Errc::permission_denied, "E3309", "The " + token.name + " is not accepted.",
                      std::move(why), "Make a new one: iotsky token create NAME --role ROLE");
}

bool same_rights(const TokenView& a, const TokenView& b) {
    const auto settings = [](const TokenView& token) {
        return token.class_view ? token.class_view->settings : ClassSettings{};
    };
    const auto class_of = [](const TokenView& token) {
        return token.class_view
                   ? token.class_view->name + ' ' +
                         (token.class_view->ends_on ? format_date(*token.class_view->ends_on)
                                                    : std::string{})
                   : std::string{};
    };
    return a.role == b.role && a.narrowing == b.narrowing && a.project == b.project &&
           a.expires_at == b.expires_at && a.revoked == b.revoked && a.unreadable == b.unreadable &&
           class_of(a) == class_of(b) && settings(a) == settings(b);
}

Narrowing narrowing_of(const TokenRecord& row) {
    return row.project_id ? Narrowing::to_project
           : row.class_id ? Narrowing::to_class
                          : Narrowing::none;
}

std::shared_ptr<const TokenView> view_of(TokenFacts&& facts, const TokenTable::ClassOf& class_of,
                                         std::uint64_t version) {
    const TokenRecord& row = facts.token;
    auto view = std::make_shared<TokenView>();
    view->id = row.id;
    view->sha256 = row.sha256;
    view->scope = row.id.format(kTokenPrefix);
    view->name = "token " + row.name;
    view->role = row.role;
    view->narrowing = narrowing_of(row);
    view->class_view = row.class_id ? class_of(*row.class_id) : nullptr;
    view->project = std::move(facts.project);
    view->expires_at = row.expires_at;
    view->revoked = row.revoked_at.has_value();
    view->version = version;
    return view;
}

std::shared_ptr<const TokenView> unreadable(const TokenView& token, std::uint64_t version) {
    auto view = std::make_shared<TokenView>(static_cast<const TokenFields&>(token));
    view->unreadable = true;
    view->version = version;
    return view;
}

bool touches(const Affected& affected, const TokenView& token) {
    return affected.tokens || (token.class_view != nullptr &&
                               std::ranges::count(affected.classes, token.class_view->id) > 0);
}

}  // namespace

std::shared_ptr<const acl::RuleSet> TokenView::rules() const {
    std::call_once(compiled_, [this] { rules_ = compile(*this); });
    return rules_;
}

std::optional<WallTime> TokenView::valid_until() const {
    if (class_view == nullptr || !class_view->ends_on) {
        return expires_at;
    }
    const WallTime end = end_of(*class_view->ends_on);
    return expires_at ? std::min(*expires_at, end) : end;
}

std::optional<Error> TokenView::refusal(WallTime now) const {
    if (revoked) {
        return not_accepted(*this, "It was revoked.");
    }
    if (unreadable) {
        return make_error(Errc::unavailable, "E5304",
                          "The " + name + " is refused until the registry can be read.",
                          "It is unreadable since a change that may concern this token.",
                          "Look at: iotsky status");
    }
    if (expires_at && now >= *expires_at) {
        return not_accepted(*this, "It was valid until " + format_utc(*expires_at) + ".");
    }
    if (class_view && class_view->ends_on && now >= end_of(*class_view->ends_on)) {
        return class_over(class_view->name, *class_view->ends_on);
    }
    if (rules() == nullptr) {
        return not_accepted(*this, "It belongs to no class, so it has no rights over MQTT.");
    }
    return std::nullopt;
}

void TokenTable::add(std::shared_ptr<const TokenView> view) {
    by_scope_.emplace(view->scope, view);
    const Sha256& hash = view->sha256;
    by_hash_.emplace(hash, std::move(view));
}

std::shared_ptr<const TokenTable> TokenTable::read(Reader& reader, const ClassOf& class_of,
                                                   std::uint64_t version) {
    auto table = std::make_shared<TokenTable>();
    reader.for_each_token_facts(
        [&](TokenFacts&& facts) { table->add(view_of(std::move(facts), class_of, version)); });
    return table;
}

std::shared_ptr<const TokenTable> TokenTable::denied(const Affected& affected,
                                                     std::uint64_t version) const {
    auto table = std::make_shared<TokenTable>();
    table->incomplete_ = incomplete_ || affected.tokens;
    for (const auto& [scope, token] : by_scope_) {
        const bool denies = !token->revoked && touches(affected, *token);
        table->add(denies ? unreadable(*token, version) : token);
    }
    return table;
}

std::shared_ptr<const TokenView> TokenTable::find(std::string_view token) const {
    if (!is_token(token)) {
        return nullptr;
    }
    // Found by its hash, as in Tokens::authenticate.
    const auto found = by_hash_.find(provisioning::sha256(token));
    return found == by_hash_.end() ? nullptr : found->second;
}

std::shared_ptr<const TokenView> TokenTable::by_scope(std::string_view scope) const {
    const auto found = by_scope_.find(scope);
    return found == by_scope_.end() ? nullptr : found->second;
}

std::vector<std::string> TokenTable::changed_since(const TokenTable& before) const {
    std::vector<std::string> scopes;
    for (const auto& [scope, old] : before.by_scope_) {
        const auto now = by_scope(scope);
        if (now == nullptr || !same_rights(*old, *now)) {
            scopes.push_back(scope);
        }
    }
    return scopes;
}

}  // namespace iotsky::provisioning
