#include "acl/action.hpp"

namespace iotsky::acl {
namespace {

struct ActionRow {
    Action action;
    std::string_view name;
    std::string_view prefix;
};

constexpr std::array<ActionRow, kActionCount> kActions{{
    {Action::connect, "iot:Connect", "client/"},
    {Action::publish, "iot:Publish", "topic/"},
    {Action::retain_publish, "iot:RetainPublish", "topic/"},
    {Action::subscribe, "iot:Subscribe", "topicfilter/"},
    {Action::receive, "iot:Receive", "topic/"},
    {Action::get_retained_message, "iot:GetRetainedMessage", "topic/"},
    {Action::list_retained_messages, "iot:ListRetainedMessages", ""},
    {Action::get_thing_shadow, "iot:GetThingShadow", "thing/"},
    {Action::update_thing_shadow, "iot:UpdateThingShadow", "thing/"},
    {Action::delete_thing_shadow, "iot:DeleteThingShadow", "thing/"},
    {Action::list_named_shadows_for_thing, "iot:ListNamedShadowsForThing", ""},
    {Action::describe_job_execution, "iot:DescribeJobExecution", "thing/"},
    {Action::get_pending_job_executions, "iot:GetPendingJobExecutions", "thing/"},
    {Action::start_next_pending_job_execution, "iot:StartNextPendingJobExecution", "thing/"},
    {Action::update_job_execution, "iot:UpdateJobExecution", "thing/"},
    {Action::assume_role_with_certificate, "iot:AssumeRoleWithCertificate", "rolealias/"},
}};

constexpr std::string_view kService = "iot:";

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_letters(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

/// Whether `pattern` with '*' and '?' names `text`; letter case does not matter.
bool names(std::string_view pattern, std::string_view text) noexcept {
    constexpr std::size_t kNone = std::string_view::npos;
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = kNone;
    std::size_t resume = 0;
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            resume = t;
        } else if (p < pattern.size() &&
                   (pattern[p] == '?' || lower(pattern[p]) == lower(text[t]))) {
            ++p;
            ++t;
        } else if (star != kNone) {
            p = star;
            t = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == kNone;
}

const ActionRow& row(Action action) noexcept {
    return kActions[static_cast<std::size_t>(action)];
}

}  // namespace

const std::array<Action, kActionCount>& all_actions() noexcept {
    static constexpr auto kAll = [] {
        std::array<Action, kActionCount> all{};
        for (std::size_t i = 0; i < kActionCount; ++i) {
            all[i] = kActions[i].action;
        }
        return all;
    }();
    return kAll;
}

std::string_view to_string(Action action) noexcept {
    return row(action).name;
}

std::string_view resource_prefix(Action action) noexcept {
    return row(action).prefix;
}

std::optional<Action> parse_action(std::string_view name) noexcept {
    for (const ActionRow& known : kActions) {
        if (same_letters(name, known.name) ||
            same_letters(name, known.name.substr(kService.size()))) {
            return known.action;
        }
    }
    return std::nullopt;
}

ActionSet match_actions(std::string_view pattern) noexcept {
    ActionSet set;
    for (const ActionRow& known : kActions) {
        if (names(pattern, known.name)) {
            set.add(known.action);
        }
    }
    return set;
}

}  // namespace iotsky::acl
