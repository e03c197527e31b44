#include "acl/explain_texts.hpp"

#include <algorithm>

#include "acl/rule.hpp"
#include "base/text.hpp"

namespace iotsky::acl {
namespace {

constexpr std::size_t kPlacesShown = 3;

std::string quoted(std::string_view text) {
    return "\"" + escape(text) + "\"";
}

std::string_view verb(Action action) {
    switch (action) {
        case Action::connect:
            return "connect as";
        case Action::publish:
            return "publish in";
        case Action::retain_publish:
            return "publish retained messages in";
        case Action::subscribe:
            return "subscribe in";
        case Action::receive:
            return "receive from";
        default:
            return "do this with";
    }
}

std::string what_was_refused(Action action, std::string_view resource) {
    const std::string name = quoted(resource);
    switch (action) {
        case Action::connect:
            return "Connect as " + name + " refused.";
        case Action::publish:
            return "Publish to " + name + " refused.";
        case Action::retain_publish:
            return "Retained publish to " + name + " refused.";
        case Action::subscribe:
            return "Subscribe to " + name + " refused.";
        case Action::receive:
            return "Delivery of " + name + " refused.";
        default:
            return std::string(to_string(action).substr(4)) + " on " + name + " refused.";
    }
}

std::string_view number_of(Action action) {
    switch (action) {
        case Action::publish:
        case Action::retain_publish:
            return "E3101";
        case Action::subscribe:
            return "E3102";
        case Action::connect:
            return "E3104";
        case Action::receive:
            return "E3105";
        default:
            return "E3107";
    }
}

bool is_topic_action(Action action) noexcept {
    return resource_prefix(action).starts_with("topic");
}

/// "a", "a and b", "a, b and c"; the first few of many.
std::string enumerate(const std::vector<std::string>& all) {
    const std::size_t shown = std::min(all.size(), kPlacesShown);
    std::string out;
    for (std::size_t i = 0; i < shown; ++i) {
        out += i == 0 ? "" : i + 1 == all.size() ? " and " : ", ";
        out += escape(all[i]);
    }
    return shown < all.size() ? out + " and more" : out;
}

std::string who_may_what(const AuthContext& context, Action action,
                         const std::vector<std::string>& places) {
    const std::string you = "You are " + escape(context.identity()) + " and may ";
    if (places.empty()) {
        return you + "not " + std::string(verb(action)) + " anything.";
    }
    return you + std::string(verb(action)) + " " + enumerate(places);
}

std::string use_instead(const Explanation& out) {
    std::string text = "You may use " + quoted(out.nearest);
    if (!out.nearest_me.empty() && out.nearest_me != out.nearest) {
        text += " or " + quoted(out.nearest_me);
    }
    return text + ".";
}

std::string ask(const AuthContext& context, Action action) {
    const bool pupil = context.rules().compiled().rights.has_value();
    return std::string("Ask ") + (pupil ? "your teacher" : "whoever manages your policies") +
           " for a policy that allows " + std::string(to_string(action)) + " here.";
}

/// The other project of the own class that the topic belongs to; empty if it is none.
std::string other_project(const AuthContext& context, std::string_view topic) {
    const auto& rights = context.rules().compiled().rights;
    const auto levels = split(topic, '/');
    if (!rights || levels.size() < 2 || levels[0] != rights->class_name ||
        levels[1] == rights->project || !is_valid_name(levels[1]) || levels[1] == "board" ||
        levels[1] == "commons") {
        return "";
    }
    return std::string(levels[1]);
}

void leading_slash(std::string_view topic, Explanation& out) {
    out.number = "E3103";
    out.what = quoted(topic) + " starts with \"/\", which makes an empty first level.";
    out.why = "\"/a\" and \"a\" are two different topics.";
    out.how = out.nearest.empty() ? "Remove the slash."
                                  : "Remove the slash: " + quoted(out.nearest) + ".";
}

void filter_too_wide(const AuthContext& context, std::string_view filter, Explanation& out) {
    const MeAlias& alias = context.rules().alias();
    if (out.nearest_me.empty() && !alias.root.empty()) {
        out.nearest_me = "$me/#";
    }
    const bool everything = filter.starts_with('#') || filter.starts_with('+');
    out.what = everything ? quoted(filter) + " would show everybody's data."
                          : what_was_refused(Action::subscribe, filter);
    out.why = who_may_what(context, Action::subscribe, out.allowed_in);
    out.how = out.nearest.empty() ? ask(context, Action::subscribe) : use_instead(out);
}

void explicit_deny(const AuthContext& context, const RequestContext& request, Explanation& out) {
    out.what = what_was_refused(request.action, request.resource);
    out.why = "You are " + escape(context.identity()) + "; " + escape(out.decided_by->name()) +
              " forbids it.";
    out.how = "Ask whoever manages policy " + quoted(out.decided_by->policy) +
              "; a Deny wins over every Allow.";
}

void default_deny(const AuthContext& context, const RequestContext& request, Explanation& out) {
    out.what = what_was_refused(request.action, request.resource);
    out.why = who_may_what(context, request.action, out.allowed_in);
    const std::string other =
        request.action == Action::publish || request.action == Action::retain_publish
            ? other_project(context, request.resource)
            : "";
    if (!other.empty()) {
        out.how =
            "To share with " + other + ", both projects must agree: ask your teacher for a grant.";
    } else {
        out.how = out.nearest.empty() ? ask(context, request.action) : use_instead(out);
    }
}

}  // namespace

void write_texts(const AuthContext& context, const RequestContext& request, bool ended,
                 Explanation& out) {
    if (out.verdict.allowed) {
        out.what = std::string(to_string(request.action)) + " on " + quoted(request.resource) +
                   " is allowed.";
        out.why = out.decided_by ? escape(out.decided_by->name()) + " allows it." : "";
        return;
    }
    out.number = number_of(request.action);
    if (ended) {
        out.what = what_was_refused(request.action, request.resource);
        out.why = "The rights of " + escape(context.identity()) + " ended at " +
                  format_utc(*context.valid_until()) + ".";
        out.how = "Renew the certificate, or extend the class.";
    } else if (out.decided_by) {
        explicit_deny(context, request, out);
    } else if (is_topic_action(request.action) && request.resource.starts_with('/')) {
        leading_slash(request.resource, out);
    } else if (request.action == Action::subscribe) {
        filter_too_wide(context, request.resource, out);
    } else {
        default_deny(context, request, out);
    }
}

Explanation explain_no_alias(const AuthContext& context, const RequestContext& request) {
    Explanation out;
    out.resource = request.resource;
    out.number = number_of(request.action);
    out.what = what_was_refused(request.action, request.resource);
    const MeAlias& alias = context.rules().alias();
    if (!alias.root.empty()) {
        out.why = "With \"$me\" written out the name is longer than 65,535 bytes.";
        out.how = "Use a shorter name.";
    } else if (!alias.reserved_root.empty()) {
        out.why = "You are " + escape(context.identity()) +
                  ", which is in no class: \"$me/\" has notice, info and time only.";
        out.how = "Use the topics that your policies name.";
    } else {
        out.why =
            "You are " + escape(context.identity()) + ", which is no thing: it has no \"$me/\".";
        out.how = "Use full topic names, or connect with the certificate of a thing.";
    }
    return out;
}

}  // namespace iotsky::acl
