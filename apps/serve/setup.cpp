#include "apps/serve/setup.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "apps/config/rules.hpp"
#include "apps/config/value_text.hpp"
#include "apps/files.hpp"
#include "apps/serve/installation.hpp"
#include "apps/serve/server_tls.hpp"
#include "broker/net/listener.hpp"
#include "certs/local_addresses.hpp"

namespace iotsky::apps {
namespace {

std::string toml_list(const std::vector<std::string>& texts) {
    return format_toml(Value{texts}, Kind::texts);
}

Result<void> check_port(std::uint16_t port) {
    net::ListenerOptions options;
    options.name = "mqtts";
    options.protocol = net::Protocol::mqtt;  // only the port is tried; there is no certificate yet
    options.bind = "[::]:" + std::to_string(port);
    auto bound = net::Listener::bind(options, 1);
    if (bound) {
        return {};
    }
    Error error = std::move(bound).error();
    error.how += " Here: iotsky setup --mqtt-port " + std::to_string(port + 1) + ".";
    return error;
}

Result<void> refuse_second_set_up(const std::filesystem::path& data_folder) {
    std::error_code ignored;
    if (!std::filesystem::exists(data_folder / "registry.db", ignored)) {
        return {};
    }
    return make_error(Errc::already_exists, "E1104", data_folder.string() + " is set up already.",
                      "A second set-up would make a CA that no device knows.",
                      "Change single values in its iotsky.toml (iotsky config check); for a fresh "
                      "start give another "
                      "folder with --data.");
}

/// The configuration as it will be read from the file that is about to be written.
Result<Loaded> load_with(const ConfigChoice& choice, const std::string& text) {
    std::vector<Source> sources;
    if (!text.empty()) {
        sources.push_back({(choice.data_dir / "iotsky.toml").string(), choice.data_dir, text});
    }
    const std::vector<Override> overrides{
        {"--data", {"server", "data_dir"}, choice.data_dir.string()}};
    IOTSKY_TRY(loaded, load_config(sources, overrides));
    IOTSKY_CHECK(check_rules(loaded));
    return loaded;
}

}  // namespace

std::string setup_config(const SetupAnswers& answers, const std::filesystem::path& data_folder) {
    std::string server;
    if (!answers.names.empty()) {
        server += "names = " + toml_list(answers.names) + "\n";
    }
    if (!answers.addresses.empty()) {
        server += "addresses = " + toml_list(answers.addresses) + "\n";
    }
    std::string text = server.empty() ? "" : "[server]\n" + server;
    if (answers.mqtt_port == 8883) {
        return text;
    }
    // One listener in a file replaces all defaults: the other two are written, too.
    text += text.empty() ? "" : "\n";
    for (const Listener& listener : default_listeners(data_folder)) {
        text += "[listener." + listener.name +
                "]\nprotocol = " + quote_toml(to_string(listener.protocol)) + "\n";
        if (listener.protocol == Protocol::unix_socket) {
            text += "path = " + quote_toml(listener.path.string()) + "\n";
        } else if (listener.protocol == Protocol::mqtts) {
            text += "bind = \"[::]:" + std::to_string(answers.mqtt_port) + "\"\n";
        } else {
            text += "bind = " + quote_toml(listener.bind) + "\n";
        }
    }
    return text;
}

Result<std::vector<std::string>> setup_addresses(const SetupAnswers& answers) {
    if (!answers.addresses.empty()) {
        return answers.addresses;
    }
    IOTSKY_TRY(all, certs::local_addresses());
    std::vector<std::string> usable;
    for (const certs::LocalAddress& address : all) {
        if (!address.loopback && !address.link_local) {
            usable.push_back(address.text);
        }
    }
    if (usable.empty()) {
        return make_error(Errc::unavailable, "E1102", "Only 127.0.0.1 found.",
                          "Devices could not reach this machine.",
                          "Plug in the network or give --address 10.20.0.5");
    }
    return usable;
}

Result<SetupResult> set_up(const ConfigChoice& choice, const SetupAnswers& answers) {
    ::umask(S_IRWXG | S_IRWXO);
    const std::filesystem::path data = std::filesystem::absolute(choice.data_dir);
    IOTSKY_CHECK(refuse_second_set_up(data));
    IOTSKY_TRY(usable, setup_addresses(answers));
    IOTSKY_CHECK(check_port(answers.mqtt_port));
    const std::string text = setup_config(answers, data);
    IOTSKY_TRY(loaded, load_with({{}, data}, text));

    const SystemClock clock;
    SystemRandom random;
    IOTSKY_TRY(installation, Installation::open(loaded.config, clock, random));
    SetupResult result;
    if (!text.empty()) {
        IOTSKY_CHECK(write_new(data / "iotsky.toml", text, 0600));
        result.config_file = (data / "iotsky.toml").string();
    }
    IOTSKY_CHECK(installation->registry->start());
    IOTSKY_CHECK(installation->make_first_token());
    const auto& fingerprint =
        installation->ca.authority->certificate(certs::CaRole::server).fingerprint();
    result.token_file = installation->token_file().string();
    result.ca_words = fingerprint.words();
    result.ca_fingerprint = fingerprint.colon_hex();
    result.addresses = usable;
    result.warnings = installation->ca.warnings;
    IOTSKY_TRY(names, server_names(loaded.config.server));
    IOTSKY_TRY(rows, self_test({installation->ca, std::move(names), data, answers.mqtt_port}, clock,
                               random));
    result.self_test = std::move(rows);
    result.firewall = firewall_hint("/", answers.mqtt_port);
    return result;
}

}  // namespace iotsky::apps
