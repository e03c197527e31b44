#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

struct Args {
    std::string identity;
    std::string action;
    std::string topic;
    std::string client_id;
    std::string address;
};

constexpr std::string_view kIndent = "             ";  // under the text behind "  identity   "

std::string checked_lines(const json::array& checked) {
    std::vector<std::vector<std::string>> rows;
    std::vector<std::string> titles(4);
    std::size_t number = 0;
    for (const json::value& entry : checked) {
        rows.push_back({std::to_string(++number), cell_text(entry, "rule", false),
                        cell_text(entry, "pattern", false), cell_text(entry, "result", false)});
    }
    const std::string table = render_table(titles, rows);
    std::string out;
    std::string lead = "  checked    ";
    for (const std::string_view line :
         split(std::string_view{table}.substr(table.find('\n') + 1), '\n')) {
        if (!line.empty()) {
            out += lead + std::string{line} + "\n";
            lead = kIndent;
        }
    }
    return out;
}

std::string identity_line(const json::value& answer) {
    std::string line = "  identity   " + cell_text(answer, "identity", false);
    if (const std::string serial = cell_text(answer, "certificate.serial", false); serial != "-") {
        line += "  (certificate " + serial + ", valid until " +
                cell_text(answer, "certificate.not_after", false) + ")";
    }
    return line + "\n";
}

std::string text_of(const json::value& answer, bool allowed) {
    std::string out = (allowed ? "ALLOWED" : "REFUSED  " + cell_text(answer, "code", false)) + "\n";
    out += identity_line(answer);
    if (const json::value* checked = answer.as_object().if_contains("checked");
        checked != nullptr && checked->is_array() && !checked->get_array().empty()) {
        out += checked_lines(checked->get_array());
    }
    const auto line = [&](std::string_view title, std::string_view path) {
        if (const std::string text = cell_text(answer, path, false); text != "-" && !text.empty()) {
            out += "  " + std::string{title} + text + "\n";
        }
    };
    line("policy     ", "statement.policy");
    line("statement  ", "statement.index");
    line("why        ", "why");
    if (!allowed) {
        line("nearest    ", "nearest");
        line("would help ", "hint");
    }
    return out;
}

Result<Exit> run(Session& session, const Args& args) {
    if (args.topic.empty() && args.action != "connect") {
        return usage_error("No topic was given.", args.action + " is about a topic.",
                           "iotsky explain " + args.identity + " " + args.action + " TOPIC");
    }
    IOTSKY_TRY(api, Api::of(session));
    std::string identity = args.identity;
    if (identity.find('/') != std::string::npos) {
        IOTSKY_TRY(path, resolve_thing(api, identity));
        identity = path;
    }
    json::object body{{"identity", identity}, {"action", args.action}};
    const auto put = [&body](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            body[key] = value;
        }
    };
    put("topic", args.topic);
    put("client_id", args.client_id);
    put("address", args.address);
    IOTSKY_TRY(answer, api.call("POST", target("/explain"), body));
    const json::value* verdict = answer.as_object().if_contains("allowed");
    const bool allowed = verdict != nullptr && verdict->is_bool() && verdict->get_bool();
    if (session.globals.json || session.globals.jsonl) {
        session.streams.out << json::serialize(answer) << "\n";
    } else if (!session.globals.quiet) {
        session.streams.out << text_of(answer, allowed);
    }
    return allowed ? Exit::done : Exit::answer_no;
}

}  // namespace

void add_explain(CLI::App& app, Session& session) {
    const auto verb = add_verb<Args>(
        app, session, "explain", "Why something is allowed or refused; exit 8 when refused", run);
    verb->add_option("IDENTITY", verb.args->identity, "A thing, or a certificate's serial number")
        ->required();
    verb->add_option("ACTION", verb.args->action, "What it would do")
        ->required()
        ->check(CLI::IsMember({"connect", "publish", "subscribe", "receive"}));
    verb->add_option("TOPIC", verb.args->topic, "Topic, or filter to subscribe");
    verb->add_option("--client-id", verb.args->client_id);
    verb->add_option("--address", verb.args->address);
}

}  // namespace iotsky::apps::cli
