#include <boost/json.hpp>

#include "apps/cli/api.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns{{"CLIENT", "client_id"},
                                   {"IDENTITY", "identity"},
                                   {"CONNECTED", "connected"},
                                   {"CLEAN", "clean_session"},
                                   {"SUBSCRIPTIONS", "subscriptions"},
                                   {"QUEUED", "queued_messages"},
                                   {"BYTES", "queued_bytes", true},
                                   {"INFLIGHT", "inflight", true},
                                   {"SINCE", "since"},
                                   {"FILTERS", "filters", true},
                                   {"ID", "id"}};

struct ListArgs {
    std::string class_name;
    std::string thing;
    std::string client;
};
struct IdArgs {
    std::string id;
};
struct KickArgs {
    std::string thing;
    std::string client;
    std::string identity;
    std::string address;
    std::string class_name;
};

Result<Exit> run_list(Session& session, const ListArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items, api.list("/sessions", {{"class", args.class_name},
                                             {"thing", args.thing},
                                             {"client_id", args.client}}));
    return print_list(session, items, kColumns);
}

Result<Exit> run_show(Session& session, const IdArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(found, api.call("GET", target("/sessions/" + encode(args.id))));
    session.globals.output = "wide";
    return print_object(session, found, kColumns);
}

Result<Exit> run_drop(Session& session, const IdArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(sure, session.confirm("Forget the session " + args.id +
                                     " with its queue and subscriptions?"));
    if (!sure) {
        return Exit::failed;
    }
    IOTSKY_TRY(answer, api.call("DELETE", target("/sessions/" + encode(args.id))));
    return print_object(session, answer, {{"DELETED", "deleted"}});
}

Result<Exit> run_kick(Session& session, const KickArgs& args) {
    json::object body;
    const auto put = [&body](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            body[key] = value;
        }
    };
    put("thing", args.thing);
    put("client_id", args.client);
    put("identity", args.identity);
    put("address", args.address);
    put("class", args.class_name);
    if (body.empty()) {
        return usage_error("Nobody was named.", "Kicking everybody is not what anyone means.",
                           "Give --thing, --client, --identity, --address or --class.");
    }
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(answer, api.call("POST", target("/connections:kick"), body));
    return print_object(session, answer, {{"KICKED", "kicked"}});
}

}  // namespace

void add_session(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "session", "MQTT sessions and their connections");
    const auto list = add_verb<ListArgs>(noun, session, "list", "All sessions", run_list);
    list->add_option("--class", list.args->class_name);
    list->add_option("--thing", list.args->thing);
    list->add_option("--client", list.args->client, "Client Identifier");
    const auto show =
        add_verb<IdArgs>(noun, session, "show", "One session with its filters", run_show);
    show->add_option("SESSION", show.args->id, "Its id")->required();
    const auto drop =
        add_verb<IdArgs>(noun, session, "drop", "Close and forget a session", run_drop);
    drop->add_option("SESSION", drop.args->id, "Its id")->required();
    const auto kick = add_verb<KickArgs>(noun, session, "kick",
                                         "Close connections; they may come back", run_kick);
    kick->add_option("--thing", kick.args->thing);
    kick->add_option("--client", kick.args->client, "Client Identifier");
    kick->add_option("--identity", kick.args->identity);
    kick->add_option("--address", kick.args->address);
    kick->add_option("--class", kick.args->class_name);
}

}  // namespace iotsky::apps::cli
