#include "bench/load/options.hpp"

#include <charconv>
#include <functional>
#include <map>
#include <stdexcept>

namespace iotsky::load {
namespace {

constexpr std::size_t kStampBytes = 24;

template <typename T>
T to_number(const std::string& text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument("not a number in range: " + text);
    }
    return value;
}

template <typename T>
auto number(T Options::*member) {
    return [member](Options& options, const std::string& text) {
        options.*member = to_number<T>(text);
    };
}

auto word(std::string Options::*member) {
    return [member](Options& options, const std::string& text) { options.*member = text; };
}

void set_scenario(Options& options, const std::string& name) {
    static const std::map<std::string, Scenario> names{{"pairs", Scenario::pairs},
                                                       {"fanout", Scenario::fanout},
                                                       {"fanin", Scenario::fanin},
                                                       {"connect", Scenario::connect}};
    const auto found = names.find(name);
    if (found == names.end()) {
        throw std::invalid_argument("unknown scenario: " + name);
    }
    options.scenario = found->second;
    options.scenario_name = name;
}

using Setter = std::function<void(Options&, const std::string&)>;

const std::map<std::string, Setter>& setters() {
    static const std::map<std::string, Setter> table{
        {"--host", word(&Options::host)},         {"--port", number(&Options::port)},
        {"--cafile", word(&Options::ca_file)},    {"--cert", word(&Options::cert_file)},
        {"--key", word(&Options::key_file)},      {"--identities", word(&Options::identities)},
        {"--tls", word(&Options::tls_version)},   {"--topic", word(&Options::topic)},
        {"--qos", number(&Options::qos)},         {"--payload", number(&Options::payload_bytes)},
        {"--clients", number(&Options::clients)}, {"--window", number(&Options::window)},
        {"--rate", number(&Options::rate)},       {"--seconds", number(&Options::seconds)},
        {"--warmup", number(&Options::warmup_s)}, {"--hold", number(&Options::hold_s)},
        {"--pid", number(&Options::pid)},
    };
    return table;
}

void check(const Options& options) {
    const auto need = [](bool good, const char* sentence) {
        if (!good) {
            throw std::invalid_argument(sentence);
        }
    };
    need(options.port != 0, "--port is needed");
    need(options.qos >= 0 && options.qos <= 2, "--qos is 0, 1 or 2");
    need(options.payload_bytes >= kStampBytes, "--payload is at least 24");
    need(options.clients > 0 && options.window > 0, "--clients and --window are at least 1");
    need(options.window <= 60'000, "--window is at most 60000 (packet identifiers)");
    need(options.seconds > 0 && options.rate >= 0, "--seconds and --rate are positive");
    need(options.cert_file.empty() == options.key_file.empty(), "--cert and --key go together");
    need(!options.resume || !options.ca_file.empty(), "--resume needs --cafile");
}

}  // namespace

const char* const kUsage =
    "usage: iotsky_load SCENARIO --port N [options]\n"
    "  pairs    --clients N publishers, each to a subscriber of its own\n"
    "  fanout   one publisher to --clients N subscribers\n"
    "  fanin    --clients N publishers to one subscriber\n"
    "  connect  --clients N connections, --window at a time; --hold S then reads the memory\n"
    "options: --host A  --cafile F  --cert F --key F | --identities DIR  --tls 1.2|1.3  --resume\n"
    "  --qos 0|1|2  --payload BYTES  --topic PREFIX  --window N (closed loop)  --persistent\n"
    "  --rate N (open loop: messages a second in all, latency counts from the due time)\n"
    "  --seconds S  --warmup S  --pid BROKER\n"
    "Prints one JSON line. Exit: 0 done, 1 failed, 2 wrong call.\n";

Options parse_options(const std::vector<std::string>& args) {
    if (args.empty()) {
        throw std::invalid_argument("a scenario is needed");
    }
    Options options;
    set_scenario(options, args[0]);
    for (std::size_t i = 1; i < args.size(); ++i) {
        if (args[i] == "--resume" || args[i] == "--persistent") {
            (args[i] == "--resume" ? options.resume : options.persistent) = true;
            continue;
        }
        const auto setter = setters().find(args[i]);
        if (setter == setters().end()) {
            throw std::invalid_argument("unknown option: " + args[i]);
        }
        if (i + 1 == args.size()) {
            throw std::invalid_argument(args[i] + " needs a value");
        }
        setter->second(options, args[++i]);
    }
    check(options);
    return options;
}

}  // namespace iotsky::load
