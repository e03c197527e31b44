#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/program.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

struct NoArgs {};

const std::vector<Column> kFields{{"version", "version"},
                                  {"ready", "ready"},
                                  {"started", "started_at"},
                                  {"durability", "durability.mode"},
                                  {"meaning", "durability.meaning"},
                                  {"endpoint", "endpoint.host"},
                                  {"addresses", "endpoint.addresses"},
                                  {"port", "endpoint.port"},
                                  {"CA SHA-256", "ca_fingerprint"},
                                  {"classes", "registry.classes"},
                                  {"things", "registry.things"},
                                  {"certificates", "registry.certificates"},
                                  {"connections", "connections"},
                                  {"sessions", "sessions"},
                                  {"subscriptions", "subscriptions"},
                                  {"retained", "retained.messages"},
                                  {"queued", "queued.messages"},
                                  {"received", "messages.received"},
                                  {"sent", "messages.sent"},
                                  {"dropped", "messages.dropped"},
                                  {"refusals", "refusals"},
                                  {"failed handshakes", "failed_handshakes"},
                                  {"log healthy", "log.healthy"},
                                  {"log says", "log.why"}};

Result<Exit> run_status(Session& session, const NoArgs&) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(status, api.call("GET", target("/status")));
    if (session.globals.quiet) {
        session.streams.out << (cell_text(status, "ready", false) == "true" ? "ready" : "not ready")
                            << "\n";
        return Exit::done;
    }
    IOTSKY_TRY(code, print_object(session, status, kFields));
    const json::value* listeners = status.as_object().if_contains("listeners");
    if (!session.globals.json && !session.globals.jsonl && session.globals.columns.empty() &&
        listeners != nullptr && listeners->is_array()) {
        session.streams.out << "\n";
        return print_list(session, listeners->get_array(),
                          {{"LISTENER", "name"},
                           {"PROTOCOL", "protocol"},
                           {"ADDRESS", "address"},
                           {"SECURITY", "security"},
                           {"ACKNOWLEDGED MEANS", "durability_meaning"},
                           {"CONNECTIONS", "connections"}});
    }
    return code;
}

Result<Exit> run_version(Session& session, const NoArgs&) {
    if (session.globals.json || session.globals.jsonl) {
        session.streams.out << json::serialize(json::object{{"version", version()}}) << "\n";
    } else {
        session.streams.out << "iotsky " << version() << "\n";
    }
    return Exit::done;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
    add_verb<NoArgs>(app, session, "status", "How the broker is, on one screen", run_status);
    add_verb<NoArgs>(app, session, "version", "This program's version", run_version);
}

}  // namespace iotsky::apps::cli
