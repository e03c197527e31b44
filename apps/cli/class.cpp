#include <boost/json.hpp>
#include <iostream>
#include <optional>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "apps/config/value_text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns{
    {"CLASS", "name"},
    {"STATE", "state"},
    {"ENDS", "ends_on"},
    {"GRACE DAYS", "grace_days"},
    {"STRICT", "strict_isolation"},
    {"ON DENIED", "on_denied_publish"},
    {"THINGS/PROJECT", "limits.things_per_project_max"},
    {"MESSAGES/S", "limits.messages_per_second", true},
    {"BURST", "limits.burst", true},
    {"PAYLOAD MAX", "limits.payload_bytes_max", true},
    {"RETAINED/THING", "limits.retained_per_thing_max", true},
    {"QUEUE/SESSION", "limits.queue_bytes_per_session_max", true},
    {"ID", "id", true},
};

struct NoArgs {};
struct NameArgs {
    std::string name;
};

/// What `create` and `set` can say about a class; unset: not mentioned.
struct SettingArgs {
    std::string name;
    std::string ends;
    std::string grace;
    std::string payload_max;
    std::string queue;
    std::string on_denied;
    std::optional<bool> strict;
    std::optional<std::int64_t> max_things;
    std::optional<std::int64_t> messages_per_second;
    std::optional<std::int64_t> burst;
    std::optional<std::int64_t> retained;
};

struct ExtendArgs {
    std::string name;
    std::string until;
};
struct DeleteArgs {
    std::string name;
    bool cascade = false;
};

void add_setting_options(CLI::App* verb, SettingArgs& args) {
    verb->add_option("--ends", args.ends, "Last day, 2027-02-05; \"never\": no end");
    verb->add_option("--grace", args.grace, "How long certificates work after it, e.g. 14d");
    verb->add_option("--strict", args.strict, "true: things see their own tree alone");
    verb->add_option("--on-denied", args.on_denied, "What a refused PUBLISH gets")
        ->check(CLI::IsMember({"ack", "disconnect"}));
    verb->add_option("--max-things", args.max_things, "Things in one project");
    verb->add_option("--messages-per-second", args.messages_per_second,
                     "Messages of a thing over time");
    verb->add_option("--burst", args.burst, "Messages of a thing at once");
    verb->add_option("--payload-max", args.payload_max, "Longest payload, e.g. 32KiB");
    verb->add_option("--retained-per-thing", args.retained, "Retained messages of a thing");
    verb->add_option("--queue-per-session", args.queue,
                     "Kept for a thing that is away, e.g. 256KiB");
}

Result<void> put_size(json::object& limits, std::string_view key, const std::string& text) {
    if (text.empty()) {
        return {};
    }
    const auto bytes = parse_size(text);
    if (!bytes) {
        return usage_error("\"" + text + "\" is not a size.",
                           "Sizes are bytes with or without a unit.",
                           "For example 32KiB or 32768.");
    }
    limits[key] = *bytes;
    return {};
}

void put_number(json::object& limits, std::string_view key,
                const std::optional<std::int64_t>& value) {
    if (value) {
        limits[key] = *value;
    }
}

Result<void> put_grace(json::object& body, const std::string& text) {
    if (text.empty()) {
        return {};
    }
    constexpr std::int64_t kDayMs = 86'400'000;
    const auto duration = parse_duration_ms(text);
    if (!duration || *duration % kDayMs != 0) {
        return usage_error("\"" + text + "\" is not a number of days.",
                           "The days of grace are whole days.", "For example --grace 14d");
    }
    body["grace_days"] = *duration / kDayMs;
    return {};
}

Result<json::object> body_of(const SettingArgs& args) {
    json::object body;
    if (!args.ends.empty()) {
        body["ends_on"] = args.ends == "never" ? json::value{} : json::value(args.ends);
    }
    IOTSKY_CHECK(put_grace(body, args.grace));
    if (args.strict) {
        body["strict_isolation"] = *args.strict;
    }
    if (!args.on_denied.empty()) {
        body["on_denied_publish"] = args.on_denied;
    }
    json::object limits;
    put_number(limits, "things_per_project_max", args.max_things);
    put_number(limits, "messages_per_second", args.messages_per_second);
    put_number(limits, "burst", args.burst);
    put_number(limits, "retained_per_thing_max", args.retained);
    IOTSKY_CHECK(put_size(limits, "payload_bytes_max", args.payload_max));
    IOTSKY_CHECK(put_size(limits, "queue_bytes_per_session_max", args.queue));
    if (!limits.empty()) {
        body["limits"] = std::move(limits);
    }
    return body;
}

Result<Exit> show(Session& session, const Api& api, const std::string& name,
                  Result<json::value>&& answer) {
    if (!answer) {
        return with_nearest(std::move(answer).error(), api, "/classes", "name", name);
    }
    return print_object(session, *answer, kColumns);
}

Result<Exit> run_create(Session& session, const SettingArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(body, body_of(args));
    body["name"] = args.name;
    IOTSKY_TRY(made, api.call("POST", target("/classes"), body));
    return print_object(session, made, kColumns);
}

Result<Exit> run_list(Session& session, const NoArgs&) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items, api.list("/classes"));
    return print_list(session, items, kColumns);
}

Result<Exit> run_show(Session& session, const NameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    session.globals.output = "wide";
    return show(session, api, args.name, api.call("GET", target("/classes/" + encode(args.name))));
}

Result<Exit> run_set(Session& session, const SettingArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(body, body_of(args));
    if (body.empty()) {
        return usage_error("Nothing to set.", "No value was given.",
                           "iotsky class set --help lists what can be set.");
    }
    return show(session, api, args.name,
                api.call("PATCH", target("/classes/" + encode(args.name)), body));
}

Result<Exit> run_extend(Session& session, const ExtendArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    return show(session, api, args.name,
                api.call("POST", target("/classes/" + encode(args.name) + ":extend"),
                         {{"until", args.until}}));
}

Result<Exit> run_delete(Session& session, const DeleteArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    const std::string path = "/classes/" + encode(args.name);
    if (!session.globals.dry_run) {
        IOTSKY_TRY(sure, session.confirm_name("Delete class " + args.name +
                                                  (args.cascade ? " with everything in it?" : "?"),
                                              args.name));
        if (!sure) {
            return Exit::failed;
        }
    }
    auto answer =
        api.call("DELETE", target(path, {{"cascade", args.cascade ? "true" : ""},
                                         {"dry_run", session.globals.dry_run ? "true" : ""}}));
    if (!answer) {
        return with_nearest(std::move(answer).error(), api, "/classes", "name", args.name);
    }
    return print_object(
        session, *answer,
        {{"DELETED", "deleted"}, {"THINGS", "things"}, {"REVOKED", "certificates_revoked"}});
}

}  // namespace

void add_class(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "class", "Classes: groups of students with limits and an end");
    const auto create = add_verb<SettingArgs>(noun, session, "create", "Make a class", run_create);
    create->add_option("CLASS", create.args->name, "Its name")->required();
    add_setting_options(create.app, *create.args);

    add_verb<NoArgs>(noun, session, "list", "All classes", run_list);

    const auto show_verb =
        add_verb<NameArgs>(noun, session, "show", "One class with its limits", run_show);
    show_verb->add_option("CLASS", show_verb.args->name)->required();

    const auto set = add_verb<SettingArgs>(noun, session, "set", "Change what is given", run_set);
    set->add_option("CLASS", set.args->name)->required();
    add_setting_options(set.app, *set.args);

    const auto extend = add_verb<ExtendArgs>(
        noun, session, "extend", "Move the end; no device must be flashed again", run_extend);
    extend->add_option("CLASS", extend.args->name)->required();
    extend->add_option("--until", extend.args->until, "New last day, 2027-02-19")->required();

    const auto remove =
        add_verb<DeleteArgs>(noun, session, "delete", "Delete an empty class", run_delete);
    remove->add_option("CLASS", remove.args->name)->required();
    remove->add_flag("--cascade", remove.args->cascade,
                     "With students, projects and things; revokes certificates");
}

}  // namespace iotsky::apps::cli
