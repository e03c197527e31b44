#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/nouns.hpp"
#include "apps/cli/verb.hpp"
#include "apps/serve/setup.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

/// Asks with a default; the answer of an empty line, of --yes and of a run without a terminal.
std::string ask(const Session& session, const std::string& question, const std::string& fallback) {
    if (session.globals.yes || !session.streams.in_terminal) {
        return fallback;
    }
    session.streams.err << question << " [" << fallback << "] " << std::flush;
    std::string answer;
    std::getline(session.streams.in, answer);
    return answer.empty() ? fallback : answer;
}

Result<void> ask_what_is_open(const Session& session, SetupAnswers& answers) {
    if (answers.names.empty()) {
        const std::string name = ask(session, "Name that devices will use", "iotsky.local");
        if (name != "iotsky.local") {
            answers.names = {name};
        }
    }
    if (answers.mqtt_port == 8883) {
        const std::string text = ask(session, "Port for MQTT over TLS", "8883");
        const int port =
            CLI::detail::lexical_cast(text, answers.mqtt_port) ? int{answers.mqtt_port} : 0;
        if (port == 0) {
            return usage_error("\"" + text + "\" is not a port.", "Ports are 1 to 65535.",
                               "For example 8883.");
        }
    }
    return {};
}

json::array self_test_json(const std::vector<SelfTestRow>& rows) {
    json::array out;
    for (const SelfTestRow& row : rows) {
        out.push_back(json::object{{"what", row.what}, {"passed", row.passed()}, {"why", row.why}});
    }
    return out;
}

json::value firewall_json(const std::optional<FirewallHint>& hint) {
    return hint ? json::value{{"what", hint->what}, {"how", hint->how}} : json::value(nullptr);
}

void print(Session& session, const std::string& folder, const SetupResult& result) {
    std::ostream& out = session.streams.out;
    if (session.globals.json || session.globals.jsonl) {
        out << json::serialize(json::object{{"data", folder},
                                            {"config_file", result.config_file},
                                            {"token_file", result.token_file},
                                            {"ca_words", result.ca_words},
                                            {"ca_fingerprint", result.ca_fingerprint},
                                            {"addresses", json::value_from(result.addresses)},
                                            {"self_test", self_test_json(result.self_test)},
                                            {"firewall", firewall_json(result.firewall)}})
            << "\n";
        return;
    }
    out << "Set up " << folder << ": server CA, next server CA, device CA, registry\n"
        << "  addresses in the certificate  " << join(result.addresses, ", ") << "\n"
        << "  CA fingerprint (read it to the class)  " << result.ca_words << "  SHA-256 "
        << result.ca_fingerprint << "\n  first admin token  " << result.token_file << "\n";
    if (!result.config_file.empty()) {
        out << "  configuration  " << result.config_file << "\n";
    }
    for (const Error& warning : result.warnings) {
        session.print(warning);
    }
    out << "Self-test\n";
    for (const SelfTestRow& row : result.self_test) {
        out << (row.passed() ? "  \u2713 " : "  \u2717 ") << row.what
            << (row.passed() ? "" : ": " + row.why) << "\n";
    }
    if (result.firewall) {
        out << "Firewall: " << result.firewall->what << " Run:  " << result.firewall->how << "\n";
    }
    out << "Start it:  iotsky serve --data " << folder << "\n";
}

Result<Exit> run(Session& session, const SetupAnswers& given) {
    const std::filesystem::path folder = session.globals.data_dir.empty()
                                             ? std::filesystem::path{kSystemData}
                                             : session.globals.data_dir;
    SetupAnswers answers = given;
    IOTSKY_CHECK(ask_what_is_open(session, answers));
    IOTSKY_TRY(result, set_up({{}, folder}, answers));
    print(session, folder.string(), result);
    const bool works = std::all_of(result.self_test.begin(), result.self_test.end(),
                                   [](const SelfTestRow& row) { return row.passed(); });
    return works ? Exit::done : Exit::answer_no;
}

}  // namespace

void add_setup(CLI::App& app, Session& session) {
    const auto verb = add_verb<SetupAnswers>(
        app, session, "setup",
        "Make CA, registry and first token in an empty folder, and test them; asks on a terminal "
        "only; exit 8 when the self-test fails",
        run);
    verb->add_option("--name", verb.args->names, "DNS name that devices use; default iotsky.local")
        ->delimiter(',');
    verb->add_option("--address", verb.args->addresses,
                     "Address for the certificate; default: all of the machine")
        ->delimiter(',');
    verb->add_option("--mqtt-port", verb.args->mqtt_port, "Port for MQTT over TLS; default 8883");
}

}  // namespace iotsky::apps::cli
