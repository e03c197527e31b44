#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

struct Args {
    std::uint64_t after = 0;
    std::string kind;
    std::uint64_t count = 0;
};

const std::vector<Column> kColumns{{"SEQ", "seq"},
                                   {"AT", "at"},
                                   {"KIND", "kind"},
                                   {"THING", "body.thing.path"},
                                   {"EVENT", "body", true}};

struct EventPage {
    json::array items;
    std::uint64_t next_after = 0;
};

Result<EventPage> page_of(const Api& api, const Args& args, std::uint64_t after, const char* wait) {
    IOTSKY_TRY(answer, api.call("GET", target("/events", {{"after", std::to_string(after)},
                                                          {"wait", wait},
                                                          {"limit", "1000"},
                                                          {"kind", args.kind}})));
    EventPage page{{}, after};
    const json::object* object = answer.if_object();
    if (const json::value* items = object == nullptr ? nullptr : object->if_contains("items");
        items != nullptr && items->is_array()) {
        page.items = items->get_array();
    }
    if (const json::value* next = object == nullptr ? nullptr : object->if_contains("next_after");
        next != nullptr && next->is_int64()) {
        page.next_after = static_cast<std::uint64_t>(next->get_int64());
    }
    return page;
}

Result<Exit> run_list(Session& session, const Args& args) {
    IOTSKY_TRY(api, Api::of(session));
    json::array all;
    std::uint64_t after = args.after;
    while (true) {
        IOTSKY_TRY(page, page_of(api, args, after, ""));
        if (page.items.empty()) {
            return print_list(session, all, kColumns);
        }
        all.insert(all.end(), page.items.begin(), page.items.end());
        after = page.next_after;
    }
}

void print_event(Session& session, const json::value& event) {
    if (session.globals.json || session.globals.jsonl) {
        session.streams.out << json::serialize(event) << std::endl;
        return;
    }
    session.streams.out << cell_text(event, "at", session.streams.out_terminal) << "  "
                        << cell_text(event, "kind", false) << "  "
                        << cell_text(event, "body", false) << std::endl;
}

/// Waits at the broker for what comes; ends after `count` events, or when it is interrupted.
Result<Exit> run_follow(Session& session, const Args& args) {
    IOTSKY_TRY(api, Api::of(session));
    std::uint64_t after = args.after;
    std::uint64_t seen = 0;
    while (true) {
        IOTSKY_TRY(page, page_of(api, args, after, "25"));
        after = page.next_after;
        for (const json::value& event : page.items) {
            print_event(session, event);
            if (args.count != 0 && ++seen == args.count) {
                return Exit::done;
            }
        }
    }
}

void add_options(const Verb<Args>& verb) {
    verb->add_option("--after", verb.args->after, "Only events behind this number");
    verb->add_option("--kind", verb.args->kind, "Only kinds that begin so, e.g. thing.");
}

}  // namespace

void add_events(CLI::App& app, Session& session) {
    CLI::App& noun =
        add_noun(app, "events", "What happened in the registry, for the next link of a chain");
    add_options(add_verb<Args>(noun, session, "list", "Those of the last 7 days", run_list));
    const auto follow =
        add_verb<Args>(noun, session, "follow", "Print them as they come, one a line", run_follow);
    add_options(follow);
    follow->add_option("--count", follow.args->count, "End after so many");
}

}  // namespace iotsky::apps::cli
