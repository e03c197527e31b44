#include "acl/policy.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "acl/json_reader.hpp"
#include "acl/resource_arn.hpp"
#include "acl/statement.hpp"
#include "base/text.hpp"

namespace iotsky::acl {
namespace {

using Kind = JsonNode::Kind;

constexpr std::string_view kStrict =
    "What is not understood is refused, because it could be meant to forbid something.";

/// A value and its JSON pointer.
struct Spot {
    const JsonNode& node;
    std::string pointer;
};

/// "~" and "/" in names, RFC 6901.
std::string pointer_name(std::string_view name) {
    std::string out;
    for (const char c : name) {
        out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    }
    return out;
}

Spot child(const Spot& spot, const JsonNode& node) {
    return {node, spot.pointer + "/" + pointer_name(node.name)};
}

/// The items of a list, or the value itself where AWS allows one instead of a list.
std::vector<Spot> items(const Spot& spot) {
    if (spot.node.kind != Kind::array) {
        return {spot};
    }
    std::vector<Spot> all;
    for (std::size_t i = 0; i < spot.node.children.size(); ++i) {
        all.push_back({spot.node.children[i], spot.pointer + "/" + std::to_string(i)});
    }
    return all;
}

std::string quoted(std::string_view text) {
    return "\"" + escape(text, 80) + "\"";
}

std::string did_you_mean(const std::string& near, std::string otherwise) {
    return near.empty() ? std::move(otherwise) : "Did you mean " + quoted(near) + "?";
}

class PolicyReader {
  public:
    explicit PolicyReader(std::string_view text) : text_(text) {}

    Result<std::vector<Statement>> read() {
        auto parsed = read_json(text_);
        if (const auto* fault = std::get_if<JsonFault>(&parsed)) {
            return make_fault(fault->offset, "", "not JSON: " + fault->message,
                              "A policy is one JSON object.",
                              "Mend the text at this place; docs/policies.md has examples.");
        }
        return document({std::get<JsonNode>(parsed), ""});
    }

  private:
    using Check = std::optional<Error>;

    [[nodiscard]] Error make_fault(std::size_t offset, const std::string& pointer,
                                   const std::string& message, std::string_view why,
                                   std::string how) const {
        const std::string place = describe_position(text_, offset);
        Error error = make_error(Errc::invalid_argument, "E3110",
                                 place + (pointer.empty() ? "" : ", " + pointer) + ": " + message,
                                 std::string(why), std::move(how));
        error.fields.push_back({pointer, place + ": " + message});
        return error;
    }

    [[nodiscard]] Error fault(const Spot& spot, const std::string& message, std::string_view why,
                              std::string how) const {
        return make_fault(spot.node.offset, spot.pointer, message, why, std::move(how));
    }

    /// Refuses members whose names are not among `known`.
    [[nodiscard]] Check check_names(const Spot& spot, std::span<const std::string> known,
                                    std::string_view what) const {
        for (const JsonNode& node : spot.node.children) {
            if (std::find(known.begin(), known.end(), node.name) != known.end()) {
                continue;
            }
            const bool foreign =
                node.name == "NotAction" || node.name == "Principal" || node.name == "NotPrincipal";
            return make_fault(
                node.name_offset, child(spot, node).pointer,
                (foreign ? quoted(node.name) + " does not belong in an IoT policy"
                         : "unknown member " + quoted(node.name) + " of " + std::string(what)),
                kStrict,
                foreign
                    ? "List the actions under \"Action\"; a policy is attached to whom it is for."
                    : did_you_mean(nearest(node.name, known), "Leave it out."));
        }
        return std::nullopt;
    }

    [[nodiscard]] Result<std::vector<Statement>> document(const Spot& spot) const {
        static const std::array<std::string, 3> names{"Version", "Id", "Statement"};
        if (spot.node.kind != Kind::object) {
            return fault(spot, "a policy is an object", "A policy is one JSON object.",
                         "Start with {\"Version\": \"2012-10-17\", \"Statement\": [...]}.");
        }
        if (auto error = check_names(spot, names, "a policy")) {
            return *error;
        }
        if (auto error = check_version(spot)) {
            return *error;
        }
        const JsonNode* list = spot.node.member("Statement");
        if (list == nullptr) {
            return fault(spot, "\"Statement\" is missing", "Without it a policy says nothing.",
                         "Add \"Statement\": [{\"Effect\": \"Allow\", ...}].");
        }
        return statements(child(spot, *list));
    }

    [[nodiscard]] Check check_version(const Spot& spot) const {
        const JsonNode* version = spot.node.member("Version");
        const JsonNode* id = spot.node.member("Id");
        if (id != nullptr && id->kind != Kind::string) {
            return fault(child(spot, *id), "\"Id\" is a text", kStrict, "Put it in quotes.");
        }
        const bool known = version == nullptr ||
                           (version->kind == Kind::string &&
                            (version->text == "2012-10-17" || version->text == "2008-10-17"));
        if (known) {
            return std::nullopt;
        }
        return fault(child(spot, *version), "unknown version of the policy language", kStrict,
                     "Write \"Version\": \"2012-10-17\".");
    }

    [[nodiscard]] Result<std::vector<Statement>> statements(const Spot& spot) const {
        std::vector<Statement> all;
        for (const Spot& item : items(spot)) {
            if (item.node.kind != Kind::object) {
                return fault(item, "a statement is an object", kStrict,
                             "Write {\"Effect\": ..., \"Action\": ..., \"Resource\": ...}.");
            }
            IOTSKY_TRY(one, statement(item));
            all.push_back(std::move(one));
        }
        if (all.empty()) {
            return fault(spot, "no statement", "Without one a policy says nothing.",
                         "Add a statement, or detach the policy.");
        }
        return all;
    }

    [[nodiscard]] Result<Statement> statement(const Spot& spot) const {
        static const std::array<std::string, 6> names{"Sid",      "Effect",      "Action",
                                                      "Resource", "NotResource", "Condition"};
        if (auto error = check_names(spot, names, "a statement")) {
            return *error;
        }
        Statement out;
        for (const auto step :
             {&PolicyReader::read_sid, &PolicyReader::read_effect, &PolicyReader::read_actions,
              &PolicyReader::read_resources, &PolicyReader::read_conditions}) {
            if (auto error = (this->*step)(spot, out)) {
                return *error;
            }
        }
        return out;
    }

    [[nodiscard]] Check read_sid(const Spot& spot, Statement& out) const {
        const JsonNode* node = spot.node.member("Sid");
        if (node == nullptr) {
            return std::nullopt;
        }
        out.sid = node->text;
        return node->kind == Kind::string
                   ? std::nullopt
                   : Check(fault(child(spot, *node), "\"Sid\" is a text", kStrict,
                                 "Put it in quotes, or leave it out."));
    }

    [[nodiscard]] Check read_effect(const Spot& spot, Statement& out) const {
        const JsonNode* node = spot.node.member("Effect");
        if (node == nullptr) {
            return fault(spot, "\"Effect\" is missing", "A statement allows or forbids.",
                         "Add \"Effect\": \"Allow\" or \"Deny\".");
        }
        if (node->kind != Kind::string || (node->text != "Allow" && node->text != "Deny")) {
            return fault(child(spot, *node), "\"Effect\" is \"Allow\" or \"Deny\"",
                         "Letter case counts.", "Write \"Allow\" or \"Deny\".");
        }
        out.effect = node->text == "Deny" ? Effect::deny : Effect::allow;
        return std::nullopt;
    }

    /// The texts of a member that is one text or a list of at least one.
    [[nodiscard]] Result<std::vector<Spot>> texts(const Spot& spot) const {
        auto all = items(spot);
        if (all.empty()) {
            return fault(spot, "an empty list", "A statement without it matches nothing.",
                         "Name at least one.");
        }
        for (const Spot& item : all) {
            if (item.node.kind != Kind::string) {
                return fault(item, "a text in quotes belongs here", kStrict, "Put it in quotes.");
            }
        }
        return all;
    }

    [[nodiscard]] Check read_actions(const Spot& spot, Statement& out) const {
        const JsonNode* node = spot.node.member("Action");
        if (node == nullptr) {
            return fault(spot, "\"Action\" is missing", "A statement is about something one does.",
                         "Add \"Action\": \"iot:Publish\" or a list of actions.");
        }
        const auto all = texts(child(spot, *node));
        if (!all) {
            return all.error();
        }
        for (const Spot& item : *all) {
            const ActionSet set = match_actions(item.node.text);
            if (set.empty()) {
                return unknown_action(item);
            }
            out.actions.add(set);
        }
        return std::nullopt;
    }

    [[nodiscard]] Error unknown_action(const Spot& spot) const {
        std::vector<std::string> known;
        for (const Action action : all_actions()) {
            known.emplace_back(to_string(action));
        }
        return fault(
            spot, "unknown action " + quoted(spot.node.text), kStrict,
            did_you_mean(nearest(spot.node.text, known),
                         "Actions are iot:Connect, iot:Publish, iot:Subscribe, iot:Receive "
                         "and others (docs/policies.md); leave out what is not for devices."));
    }

    [[nodiscard]] Check read_resources(const Spot& spot, Statement& out) const {
        const JsonNode* yes = spot.node.member("Resource");
        const JsonNode* no = spot.node.member("NotResource");
        if ((yes == nullptr) == (no == nullptr)) {
            return fault(spot,
                         yes == nullptr ? "\"Resource\" is missing"
                                        : "\"Resource\" and \"NotResource\" in one statement",
                         "A statement is about one set of resources.",
                         "Give either \"Resource\" or \"NotResource\".");
        }
        out.not_resource = no != nullptr;
        const auto all = texts(child(spot, yes != nullptr ? *yes : *no));
        if (!all) {
            return all.error();
        }
        for (const Spot& item : *all) {
            auto resource = parse_resource_arn(item.node.text);
            if (const auto* bad = std::get_if<TemplateFault>(&resource)) {
                return fault(item, bad->message, kStrict, bad->how);
            }
            out.resources.push_back(std::get<Template>(std::move(resource)));
        }
        return std::nullopt;
    }

    [[nodiscard]] Check read_conditions(const Spot& spot, Statement& out) const {
        const JsonNode* node = spot.node.member("Condition");
        if (node == nullptr) {
            return std::nullopt;
        }
        const Spot all = child(spot, *node);
        if (node->kind != Kind::object) {
            return not_an_object(all);
        }
        for (const JsonNode& entry : node->children) {
            if (auto error = read_operator(child(all, entry), out)) {
                return error;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] Error not_an_object(const Spot& spot) const {
        return fault(spot, "an object belongs here", kStrict,
                     "Write \"Condition\": {\"StringEquals\": {\"iot:ClientId\": \"x\"}}.");
    }

    [[nodiscard]] Check read_operator(const Spot& spot, Statement& out) const {
        const auto op = parse_operator(spot.node.name);
        if (!op) {
            return make_fault(spot.node.name_offset, spot.pointer,
                              "unknown operator " + quoted(spot.node.name), kStrict,
                              did_you_mean(nearest_operator(spot.node.name),
                                           "The operators are listed in docs/policies.md."));
        }
        if (spot.node.kind != Kind::object) {
            return not_an_object(spot);
        }
        for (const JsonNode& entry : spot.node.children) {
            if (auto error = read_key(child(spot, entry), spot.node.name, *op, out)) {
                return error;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] Check read_key(const Spot& spot, const std::string& op_name, const Operator& op,
                                 Statement& out) const {
        auto key = parse_variable(spot.node.name);
        if (!key) {
            return make_fault(spot.node.name_offset, spot.pointer,
                              "unknown condition key " + quoted(spot.node.name), kStrict,
                              did_you_mean(nearest_variable(spot.node.name),
                                           "The keys are listed in docs/policies.md."));
        }
        Condition condition{op, std::move(*key), {}, op_name + " " + spot.node.name};
        const auto values = items(spot);
        if (values.empty()) {
            return fault(spot, "an empty list", "A condition without a value never holds.",
                         "Name at least one value.");
        }
        for (const Spot& item : values) {
            if (auto error = read_value(item, op, condition)) {
                return error;
            }
        }
        out.conditions.push_back(std::move(condition));
        return std::nullopt;
    }

    [[nodiscard]] Check read_value(const Spot& spot, const Operator& op,
                                   Condition& condition) const {
        const Kind kind = spot.node.kind;
        if (kind != Kind::string && kind != Kind::number && kind != Kind::boolean) {
            return fault(spot, "a text, number, true or false belongs here", kStrict,
                         "Put the value in quotes.");
        }
        auto value = parse_condition_value(spot.node.text, op);
        if (const auto* bad = std::get_if<TemplateFault>(&value)) {
            return fault(spot, bad->message, kStrict, bad->how);
        }
        condition.values.push_back(std::get<Template>(std::move(value)));
        return std::nullopt;
    }

    std::string_view text_;
};

/// Characters as AWS counts them: without white space.
std::size_t count_characters(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        const bool space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        return !space && (static_cast<unsigned char>(c) & 0xc0U) != 0x80;
    }));
}

Error too_long(std::size_t found, std::size_t allowed, std::string_view unit) {
    return make_error(Errc::limit_exceeded, "E3111",
                      "the policy has " + std::to_string(found) + " " + std::string(unit) + "; " +
                          std::to_string(allowed) + " are allowed",
                      "Long policies are slow to check and hard to read.",
                      "Use wildcards and variables, or split it into several policies.");
}

}  // namespace

Result<Policy> parse_policy(std::string_view json, const PolicyLimits& limits) {
    if (json.size() > limits.bytes_max) {
        return too_long(json.size(), limits.bytes_max, "bytes");
    }
    if (const std::size_t found = count_characters(json); found > limits.characters_max) {
        return too_long(found, limits.characters_max, "characters without white space");
    }
    IOTSKY_TRY(statements, PolicyReader(json).read());
    return Policy{std::string(json),
                  std::make_shared<const std::vector<Statement>>(std::move(statements))};
}

}  // namespace iotsky::acl
