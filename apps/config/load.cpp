#include "apps/config/load.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "apps/config/problems.hpp"
#include "apps/config/read_value.hpp"
#include "apps/config/table.hpp"
#include "base/text.hpp"

namespace iotsky::apps {
namespace {

std::string position(const Source& source, const toml::source_position& at) {
    return source.name + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::optional<std::vector<std::string>> strings_of(const toml::array& array) {
    std::vector<std::string> items;
    for (const toml::node& item : array) {
        const auto text = item.value_exact<std::string>();
        if (!text) {
            return std::nullopt;
        }
        items.push_back(*text);
    }
    return items;
}

/// nullopt for tables, dates and mixed arrays, which no key takes.
std::optional<RawValue> raw_of(const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) {
        return RawValue{*text};
    }
    if (const auto number = node.value_exact<std::int64_t>()) {
        return RawValue{*number};
    }
    if (const auto flag = node.value_exact<bool>()) {
        return RawValue{*flag};
    }
    if (const auto fraction = node.value_exact<double>()) {
        return RawValue{*fraction};
    }
    if (const toml::array* array = node.as_array()) {
        if (auto items = strings_of(*array)) {
            return RawValue{std::move(*items)};
        }
    }
    return std::nullopt;
}

/// Fills one Config from texts and overrides, and notes where each value came from.
class Loader {
  public:
    void apply(const Source& source);
    void apply(const Override& override_);
    Result<Loaded> finish();

  private:
    void table(const Source& source, const toml::table& table, const std::string& section);
    void listeners(const Source& source, const toml::node& node);
    template <typename T>
    void value(const Source& source, const toml::key& key, const toml::node& node,
               std::span<const Setting<T>> settings, T& target, const std::string& section);
    template <typename T>
    void override_value(const Override& override_, const std::string& key,
                        std::span<const Setting<T>> settings, T& target,
                        const std::string& section);
    template <typename T>
    void store(const Setting<T>& setting, T& target, ReadResult&& read, const std::string& where,
               const std::string& section);
    Listener& listener(std::string_view name);
    void unknown(const std::string& where, const std::string& what, std::string_view name,
                 const std::vector<std::string>& known);

    Loaded loaded_;
    Problems problems_;
    std::vector<Override> listener_overrides_;
};

const Section* find_section(std::string_view name) {
    const auto sections = config_sections();
    const auto at = std::find_if(sections.begin(), sections.end(),
                                 [&](const Section& section) { return section.name == name; });
    return at == sections.end() ? nullptr : &*at;
}

bool is_section_prefix(const std::string& name) {
    const auto sections = config_sections();
    return std::any_of(sections.begin(), sections.end(), [&](const Section& section) {
        return section.name.starts_with(name + ".");
    });
}

template <typename T>
std::vector<std::string> key_names(std::span<const Setting<T>> settings) {
    std::vector<std::string> names;
    for (const Setting<T>& setting : settings) {
        names.emplace_back(setting.key);
    }
    return names;
}

std::vector<std::string> section_names() {
    std::vector<std::string> names{"listener"};
    for (const Section& section : config_sections()) {
        names.emplace_back(section.name);
    }
    return names;
}

std::string dotted(const std::string& section, std::string_view key) {
    return section.empty() ? std::string{key} : section + "." + std::string{key};
}

void Loader::unknown(const std::string& where, const std::string& what, std::string_view name,
                     const std::vector<std::string>& known) {
    const std::string near = nearest(name, known);
    problems_.add(
        where, "E1152", what,
        "Unknown names are refused, so that a typing mistake cannot go unnoticed.",
        near.empty() ? "`iotsky config docs` lists every key." : "Did you mean \"" + near + "\"?");
}

template <typename T>
void Loader::store(const Setting<T>& setting, T& target, ReadResult&& read,
                   const std::string& where, const std::string& section) {
    if (const Refused* refused = std::get_if<Refused>(&read)) {
        problems_.add(where, refused->number, refused->what, refused->why, refused->how);
        return;
    }
    setting.set(target, std::get<Value>(read));
    loaded_.origins[dotted(section, setting.key)] = where;
}

template <typename T>
void Loader::value(const Source& source, const toml::key& key, const toml::node& node,
                   std::span<const Setting<T>> settings, T& target, const std::string& section) {
    const std::string name{key.str()};
    const auto setting = std::find_if(settings.begin(), settings.end(),
                                      [&](const Setting<T>& row) { return row.key == name; });
    if (setting == settings.end()) {
        unknown(
            position(source, key.source().begin),
            (section.empty() ? "\"" + escape(name, 64) + "\" is not a key or section."
                             : "\"" + escape(name, 64) + "\" is not a key of [" + section + "]."),
            name, section.empty() ? section_names() : key_names(settings));
        return;
    }
    const std::string where = position(source, node.source().begin);
    const auto raw = raw_of(node);
    if (!raw) {
        problems_.add(where, "E1153", name + " has a value of the wrong type.",
                      name + " takes " + describe(expected(*setting)) + ".", "Correct the value.");
        return;
    }
    store(*setting, target, read_value(expected(*setting), *raw, source.folder), where, section);
}

Listener& Loader::listener(std::string_view name) {
    auto& all = loaded_.config.listeners;
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const Listener& listener) { return listener.name == name; });
    if (at != all.end()) {
        return *at;
    }
    all.emplace_back();
    all.back().name = name;
    return all.back();
}

void Loader::listeners(const Source& source, const toml::node& node) {
    const toml::table* named = node.as_table();
    if (named == nullptr) {
        problems_.add(position(source, node.source().begin), "E1153", "listener is not a table.",
                      "Each listener is a table of its own.",
                      "Write [listener.NAME], for example [listener.mqtts].");
        return;
    }
    for (const auto& [key, entry] : *named) {
        const std::string name{key.str()};
        const toml::table* keys = entry.as_table();
        if (keys == nullptr || !is_valid_name(name)) {
            problems_.add(position(source, key.source().begin), "E1152",
                          "\"" + escape(name, 64) + "\" is not a listener.",
                          "A listener is a table whose name has 1 to 40 of A-Z a-z 0-9 _ -.",
                          "Write [listener.NAME], for example [listener.mqtts].");
            continue;
        }
        Listener& target = listener(name);
        loaded_.origins.emplace("listener." + name, position(source, key.source().begin));
        for (const auto& [inner, value_node] : *keys) {
            value(source, inner, value_node, listener_settings(), target, "listener." + name);
        }
    }
}

void Loader::table(const Source& source, const toml::table& table, const std::string& section) {
    for (const auto& [key, node] : table) {
        const std::string name = dotted(section, key.str());
        if (name == "listener") {
            listeners(source, node);
        } else if (node.is_table() && (find_section(name) != nullptr || is_section_prefix(name))) {
            this->table(source, *node.as_table(), name);
        } else if (const Section* rows = find_section(section)) {
            value<Config>(source, key, node, rows->settings, loaded_.config, section);
        } else {
            unknown(position(source, key.source().begin),
                    "\"" + escape(name, 64) + "\" is not a key or section.", name, section_names());
        }
    }
}

void Loader::apply(const Source& source) {
    try {
        table(source, toml::parse(source.text, source.name), "");
    } catch (const toml::parse_error& fault) {
        problems_.add(
            position(source, fault.source().begin), "E1151",
            "not valid TOML: " + escape(fault.description(), 200) + ".",
            "A file that is only partly understood would start with settings nobody chose.",
            "Correct the line, then try `iotsky config check`.");
    }
}

template <typename T>
void Loader::override_value(const Override& override_, const std::string& key,
                            std::span<const Setting<T>> settings, T& target,
                            const std::string& section) {
    const auto setting = std::find_if(settings.begin(), settings.end(),
                                      [&](const Setting<T>& row) { return row.key == key; });
    if (setting == settings.end()) {
        unknown(override_.origin, "\"" + escape(key, 64) + "\" is not a key of [" + section + "].",
                key, key_names(settings));
        return;
    }
    store(*setting, target,
          read_text(expected(*setting), override_.value, std::filesystem::current_path()),
          override_.origin, section);
}

void Loader::apply(const Override& override_) {
    const auto& path = override_.path;
    if (path.size() == 3 && path[0] == "listener") {
        listener_overrides_.push_back(override_);
        return;
    }
    std::string section;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
        section = dotted(section, path[i]);
    }
    if (const Section* rows = find_section(section); rows != nullptr && !path.empty()) {
        override_value<Config>(override_, path.back(), rows->settings, loaded_.config, section);
    } else {
        unknown(override_.origin, "\"" + escape(section, 64) + "\" is not a section.", section,
                section_names());
    }
}

/// A variable cannot hold "-", and is in capitals: "ADMIN_SOCKET" means the listener
/// "admin-socket".
bool same_listener(std::string_view written, std::string_view name) {
    return std::equal(written.begin(), written.end(), name.begin(), name.end(), [](char a, char b) {
        const auto plain = [](char c) {
            return c == '-' ? '_' : static_cast<char>(std::tolower(c));
        };
        return plain(a) == plain(b);
    });
}

Result<Loaded> Loader::finish() {
    if (loaded_.config.listeners.empty()) {
        loaded_.config.listeners = default_listeners(loaded_.config.server.data_dir);
    }
    for (const Override& item : listener_overrides_) {
        auto& all = loaded_.config.listeners;
        const auto at = std::find_if(all.begin(), all.end(), [&](const Listener& listener) {
            return same_listener(item.path[1], listener.name);
        });
        Listener& target = at == all.end() ? listener(item.path[1]) : *at;
        override_value<Listener>(item, item.path[2], listener_settings(), target,
                                 "listener." + target.name);
    }
    for (Listener& listener : loaded_.config.listeners) {
        // Browsers have no certificate.
        if (has_websocket(listener.protocol) &&
            !loaded_.origins.contains("listener." + listener.name + ".client_certificate")) {
            listener.client_certificate = ClientCertificate::optional;
        }
    }
    if (!problems_.empty()) {
        return problems_.error();
    }
    return std::move(loaded_);
}

}  // namespace

std::string origin_of(const Loaded& loaded, const std::string& key) {
    const auto at = loaded.origins.find(key);
    return at == loaded.origins.end() ? key : at->second;
}

Result<Loaded> load_config(std::span<const Source> sources, std::span<const Override> overrides) {
    Loader loader;
    for (const Source& source : sources) {
        loader.apply(source);
    }
    for (const Override& item : overrides) {
        loader.apply(item);
    }
    return loader.finish();
}

}  // namespace iotsky::apps
