#include "apps/config/show.hpp"

#include <algorithm>

#include "apps/config/read_value.hpp"
#include "apps/config/table.hpp"
#include "apps/config/value_text.hpp"

namespace iotsky::apps {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

This page is made by `iotsky config docs` from the table in `apps/config/table.cpp`; a test keeps it current.

One TOML file, then `conf.d/*.toml` beside it in the order of their names. `iotsky serve --config FILE` names it;
without the flag `DIR/iotsky.toml` of `--data DIR` is read when it exists, and without both `/etc/iotsky/iotsky.toml`.
Precedence: flag, then variable `IOTSKY_SECTION__KEY` (`IOTSKY_LOG__LEVEL=debug`,
`IOTSKY_LISTENER__MQTTS__BIND=[::]:8884`; lists with commas), then conf.d, then the file, then the default.
Relative paths are relative to the file that names them. Unknown keys, wrong types and values out of range are refused
with their position; an unreadable, empty or damaged file refuses the start.

`iotsky config check` tells every problem, also of the files that it names (exit 8 when there is one), `show` prints the values in force, `origin` where
each came from, `reload` applies what can change while the broker runs (so does SIGHUP); a wrong file changes nothing.
Sizes are bytes or `"32KiB"`, `"1MiB"`; durations need a unit: `"200ms"`, `"5s"`, `"10min"`, `"24h"`, `"7d"`.
)";

constexpr std::string_view kListenerHelp =
    "One table for each listener. As soon as a file has one, it replaces all default listeners: "
    "mqtts on `[::]:8883`, the API and MQTT over WebSocket by https on `[::]:8443`, "
    "the API on `127.0.0.1:9880` and on the socket `admin.sock` in the data folder "
    "(`/run/iotsky/admin.sock` under "
    "systemd).";

std::string cell(std::string text) {
    for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
        text.insert(at, "\\");
    }
    return text;
}

template <typename T>
std::string reference_rows(std::span<const Setting<T>> settings, const T& defaults) {
    std::string out =
        "| key | takes | default | reload | meaning |\n| --- | --- | --- | --- | --- |\n";
    for (const Setting<T>& setting : settings) {
        out += "| `" + std::string{setting.key} + "` | " + cell(describe(expected(setting))) +
               " | `" + format_toml(setting.get(defaults), setting.kind) + "` | " +
               (setting.takes == Takes::reload ? "yes" : "restart") + " | " +
               cell(std::string{setting.help}) + " |\n";
    }
    return out;
}

template <typename T>
std::string toml_rows(std::span<const Setting<T>> settings, const T& target) {
    std::string out;
    for (const Setting<T>& setting : settings) {
        out += std::string{setting.key} + " = " + format_toml(setting.get(target), setting.kind) +
               "\n";
    }
    return out;
}

/// A listener has either bind or path: the other one would be refused when the text is read again.
std::string listener_toml(const Listener& listener) {
    std::string out = "\n[listener." + listener.name + "]\n";
    for (const Setting<Listener>& setting : listener_settings()) {
        const bool wrong_place =
            setting.key == (listener.protocol == Protocol::unix_socket ? "bind" : "path");
        if (!wrong_place) {
            out += std::string{setting.key} + " = " +
                   format_toml(setting.get(listener), setting.kind) + "\n";
        }
    }
    return out;
}

template <typename T>
void add_rows(std::vector<ConfigRow>& out, const Loaded& loaded, const std::string& prefix,
              std::span<const Setting<T>> settings, const T& target) {
    for (const Setting<T>& setting : settings) {
        const std::string key = prefix + std::string{setting.key};
        const auto origin = loaded.origins.find(key);
        out.push_back({key, format_toml(setting.get(target), setting.kind),
                       origin == loaded.origins.end() ? "default" : origin->second, setting.takes});
    }
}

std::string padded(const std::string& text, std::size_t width) {
    return text + std::string(width > text.size() ? width - text.size() : 0, ' ');
}

}  // namespace

std::string config_reference() {
    std::string out{kIntroduction};
    const Config defaults;
    for (const Section& section : config_sections()) {
        out += section.name.empty() ? "\n## Top of the file\n\n"
                                    : "\n## [" + std::string{section.name} + "]\n\n";
        out += std::string{section.help} + "\n\n";
        out += reference_rows<Config>(section.settings, defaults);
    }
    out += "\n## [listener.NAME]\n\n" + std::string{kListenerHelp} + "\n\n";
    out += reference_rows<Listener>(listener_settings(), Listener{});
    return out;
}

std::string show_config(const Config& config) {
    std::string out;
    for (const Section& section : config_sections()) {
        out += section.name.empty() ? "" : "\n[" + std::string{section.name} + "]\n";
        out += toml_rows<Config>(section.settings, config);
    }
    for (const Listener& listener : config.listeners) {
        out += listener_toml(listener);
    }
    return out;
}

std::vector<ConfigRow> config_rows(const Loaded& loaded) {
    std::vector<ConfigRow> rows;
    for (const Section& section : config_sections()) {
        const std::string prefix = section.name.empty() ? "" : std::string{section.name} + ".";
        add_rows<Config>(rows, loaded, prefix, section.settings, loaded.config);
    }
    for (const Listener& listener : loaded.config.listeners) {
        add_rows<Listener>(rows, loaded, "listener." + listener.name + ".", listener_settings(),
                           listener);
    }
    return rows;
}

std::string show_origins(const Loaded& loaded) {
    const std::vector<ConfigRow> rows = config_rows(loaded);
    std::size_t key_width = 0;
    std::size_t value_width = 0;
    for (const ConfigRow& row : rows) {
        key_width = std::max(key_width, row.key.size());
        value_width = std::max(value_width, std::min<std::size_t>(row.value.size(), 32));
    }
    std::string out;
    for (const ConfigRow& row : rows) {
        out +=
            padded(row.key, key_width + 2) + padded(row.value, value_width + 2) + row.origin + "\n";
    }
    return out;
}

}  // namespace iotsky::apps
