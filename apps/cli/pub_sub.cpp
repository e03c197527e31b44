#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "apps/cli/api.hpp"
#include "apps/cli/credentials.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/verb.hpp"
#include "apps/client/mqtt_client.hpp"
#include "apps/config/value_text.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kNotice = "$me/notice";

/// How to reach the broker; the folder of `thing create` says it all, flags win over it.
struct ConnectArgs {
    std::string identity = ".";
    std::string host;
    std::uint16_t port = 0;
    bool plain = false;
    std::string client_id;
};

struct PubArgs {
    ConnectArgs connect;
    std::string topic;
    std::string message;
    std::string file;
    int qos = 1;
    bool retain = false;
};

struct SubArgs {
    ConnectArgs connect;
    std::vector<std::string> filters;
    int qos = 1;
    std::uint64_t count = 0;
    std::string timeout;
};

/// {"host","addresses","port"} as `thing create` wrote it.
json::value read_endpoint(const std::filesystem::path& folder) {
    std::ifstream in{folder / kEndpointFile};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    boost::system::error_code fault;
    json::value endpoint = json::parse(text, fault);
    return fault ? json::value{} : endpoint;
}

std::vector<std::string> hosts_of(const ConnectArgs& args, const json::value& endpoint) {
    if (!args.host.empty()) {
        return {args.host};
    }
    std::vector<std::string> hosts;
    if (const std::string host = text_at(endpoint, "host"); !host.empty()) {
        hosts.push_back(host);
    }
    const json::object* object = endpoint.if_object();
    const json::value* addresses = object == nullptr ? nullptr : object->if_contains("addresses");
    if (addresses != nullptr && addresses->is_array()) {
        for (const json::value& address : addresses->get_array()) {
            hosts.emplace_back(address.is_string() ? std::string{address.get_string()}
                                                   : std::string{});
        }
    }
    // A listener may be bound to this machine alone, whatever addresses the certificate has.
    if (std::find(hosts.begin(), hosts.end(), "127.0.0.1") == hosts.end()) {
        hosts.emplace_back("127.0.0.1");
    }
    return hosts;
}

std::uint16_t port_of(const ConnectArgs& args, const json::value& endpoint) {
    const json::object* object = endpoint.if_object();
    const json::value* port = object == nullptr ? nullptr : object->if_contains("port");
    if (args.port != 0) {
        return args.port;
    }
    if (port != nullptr && port->is_int64() && port->get_int64() > 0 &&
        port->get_int64() <= 65'535) {
        return static_cast<std::uint16_t>(port->get_int64());
    }
    return args.plain ? 1883 : 8883;
}

Result<MqttClient> connect(const ConnectArgs& args) {
    const std::filesystem::path folder = args.identity;
    const json::value endpoint = read_endpoint(folder);
    MqttOptions options;
    options.port = port_of(args, endpoint);
    options.client_id = args.client_id;
    if (!args.plain) {
        if (!std::filesystem::exists(folder / kKeyFile)) {
            return usage_error("There is no identity in " + folder.string() + "/.",
                               "It needs the files that `iotsky thing create` writes: device.crt, "
                               "device.key, ca.crt.",
                               "Give --identity DIR, or --plain for a listener without TLS.");
        }
        options.tls.emplace();
        options.tls->ca_file = folder / kCaFile;
        options.tls->certificate = folder / kCertificateFile;
        options.tls->key = folder / kKeyFile;
        options.tls->alpn = "mqtt";
    }
    // The name may not be known in this network: the addresses come next, as in the samples of a
    // bundle.
    Result<MqttClient> last = usage_error("There is no host.", "", "Give --host HOST.");
    for (const std::string& host : hosts_of(args, endpoint)) {
        options.host = host;
        last = MqttClient::connect(options);
        if (last || last.error().number != "E1162") {
            break;
        }
    }
    return last;
}

/// Text of the broker for a terminal: what could steer it is escaped, quotes stay readable.
std::string plain(std::string_view text) {
    std::string out = escape(text);
    for (std::size_t at = out.find("\\x22"); at != std::string::npos; at = out.find("\\x22", at)) {
        out.replace(at, 4, "\"");
    }
    return out;
}

/// The broker's notice about a refused action as an error.
Error notice_error(const MqttMessage& notice) {
    boost::system::error_code fault;
    const json::value body = json::parse(notice.payload, fault);
    return make_error(Errc::permission_denied, text_at(body, "code"),
                      "The broker refused " + text_at(body, "what") + " \"" +
                          plain(text_at(body, "topic")) + "\".",
                      plain(text_at(body, "why")), plain(text_at(body, "try")));
}

Result<std::string> payload_of(Session& session, const PubArgs& args) {
    if (args.file.empty()) {
        return args.message;
    }
    return read_input(session, args.file, mqtt::kRemainingLengthMax);
}

Result<Exit> run_pub(Session& session, const PubArgs& args) {
    IOTSKY_TRY(payload, payload_of(session, args));
    IOTSKY_TRY(client, connect(args.connect));
    // A refused PUBLISH is acknowledged all the same (MQTT 3.1.1 has nothing else): the notice
    // tells.
    IOTSKY_TRY(told, client.subscribe(kNotice, mqtt::Qos::at_most_once));
    IOTSKY_CHECK(client.publish(
        {args.topic, std::move(payload), static_cast<mqtt::Qos>(args.qos), args.retain}));
    if (told) {
        IOTSKY_CHECK(client.settle());
        IOTSKY_TRY(notice, client.next(std::chrono::milliseconds{0}));
        if (notice && notice->topic == kNotice) {
            client.disconnect();
            return notice_error(*notice);
        }
    }
    client.disconnect();
    return Exit::done;
}

bool is_text(std::string_view payload) {
    return escape(payload, payload.size()) == payload;
}

void print_message(Session& session, const MqttMessage& message) {
    std::ostream& out = session.streams.out;
    if (session.globals.json || session.globals.jsonl) {
        json::object object{{"topic", message.topic},
                            {"qos", static_cast<int>(message.qos)},
                            {"retain", message.retain}};
        if (is_text(message.payload)) {
            object["payload"] = message.payload;
        } else {
            object["payload_hex"] =
                to_hex({reinterpret_cast<const std::uint8_t*>(message.payload.data()),
                        message.payload.size()});
        }
        out << json::serialize(object) << std::endl;
        return;
    }
    // A terminal must not be steered by what a device sends; a pipe gets the bytes as they are.
    const bool raw = !session.streams.out_terminal;
    if (!session.globals.quiet) {
        out << (raw ? message.topic : escape(message.topic)) << " ";
    }
    out << (raw ? message.payload : escape(message.payload, 4096)) << std::endl;
}

/// The notice about a filter that was refused, which says why; without one what SUBACK says.
Result<void> tell_refusal(Session& session, MqttClient& client, const std::string& filter) {
    IOTSKY_CHECK(client.settle());
    IOTSKY_TRY(notice, client.next(std::chrono::milliseconds{0}));
    if (notice && notice->topic == kNotice) {
        session.print(notice_error(*notice));
        return {};
    }
    if (notice) {
        print_message(session, *notice);
    }
    session.print(make_error(Errc::permission_denied, "E1176",
                             "The broker refused to subscribe \"" + plain(filter) + "\".",
                             "This identity may not read it.",
                             "iotsky explain THING subscribe '" + plain(filter) + "'"));
    return {};
}

Result<Exit> run_sub(Session& session, const SubArgs& args) {
    std::chrono::milliseconds patience{std::chrono::hours{24 * 365}};
    if (!args.timeout.empty()) {
        const auto parsed = parse_duration_ms(args.timeout);
        if (!parsed) {
            return usage_error("\"" + args.timeout + "\" is not a duration.", "A unit is needed.",
                               "For example --timeout 5s");
        }
        patience = std::chrono::milliseconds{*parsed};
    }
    IOTSKY_TRY(client, connect(args.connect));
    static_cast<void>(client.subscribe(kNotice, mqtt::Qos::at_most_once));
    bool refused = false;
    for (const std::string& filter : args.filters) {
        IOTSKY_TRY(granted, client.subscribe(filter, static_cast<mqtt::Qos>(args.qos)));
        if (!granted) {
            refused = true;
            IOTSKY_CHECK(tell_refusal(session, client, filter));
        }
    }
    if (refused && args.filters.size() == 1) {
        return Exit::refused;
    }
    const TimePoint end = std::chrono::steady_clock::now() + patience;
    for (std::uint64_t seen = 0; args.count == 0 || seen < args.count;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        IOTSKY_TRY(message, client.next(left));
        if (!message) {
            client.disconnect();
            return args.count == 0 ? Exit::done : Exit::failed;
        }
        if (message->topic == kNotice) {
            session.print(notice_error(*message));
            continue;
        }
        print_message(session, *message);
        ++seen;
    }
    client.disconnect();
    return refused ? Exit::refused : Exit::done;
}

void add_connect_options(CLI::App* verb, ConnectArgs& args) {
    verb->add_option("--identity", args.identity,
                     "Folder that `iotsky thing create` wrote; default: this one");
    verb->add_option("--host", args.host, "Default: what the folder's endpoint.json says");
    verb->add_option("--port", args.port);
    verb->add_flag("--plain", args.plain, "Without TLS, for a mqtt listener");
    verb->add_option("--client-id", args.client_id, "Default: the broker makes one");
}

}  // namespace

void add_pub_sub(CLI::App& app, Session& session) {
    const auto pub = add_verb<PubArgs>(app, session, "pub",
                                       "Publish one message; exit 4 when it is refused", run_pub);
    pub->add_option("TOPIC", pub.args->topic)->required();
    pub->add_option("MESSAGE", pub.args->message, "The payload; empty when left out");
    pub->add_option("--file", pub.args->file, "Payload from a file; - reads standard input");
    pub->add_option("--qos", pub.args->qos)->check(CLI::Range(0, 2));
    pub->add_flag("--retain", pub.args->retain);
    add_connect_options(pub.app, pub.args->connect);

    const auto sub = add_verb<SubArgs>(
        app, session, "sub", "Print messages as they come; refusals on standard error", run_sub);
    sub->add_option("FILTER", sub.args->filters)->required();
    sub->add_option("--qos", sub.args->qos)->check(CLI::Range(0, 2));
    sub->add_option("--count", sub.args->count,
                    "End after so many; exit 1 when --timeout comes first");
    sub->add_option("--timeout", sub.args->timeout, "End after, e.g. 5s");
    add_connect_options(sub.app, sub.args->connect);
}

}  // namespace iotsky::apps::cli
