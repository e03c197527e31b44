#include "apps/config/reload.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "apps/config/show.hpp"
#include "apps/config/table.hpp"

namespace iotsky::apps {
namespace {

void take_origin(Loaded& in_use, const Loaded& fresh, const std::string& key) {
    const auto at = fresh.origins.find(key);
    if (at == fresh.origins.end()) {
        in_use.origins.erase(key);
    } else {
        in_use.origins[key] = at->second;
    }
}

template <typename T>
void take(Loaded& in_use, const Loaded& fresh, std::span<const Setting<T>> settings, T& target,
          const T& source, const std::string& prefix) {
    for (const Setting<T>& setting : settings) {
        if (setting.takes == Takes::reload) {
            setting.set(target, setting.get(source));
            take_origin(in_use, fresh, prefix + std::string{setting.key});
        }
    }
}

}  // namespace

ConfigDifference compare(const Loaded& before, const Loaded& after) {
    ConfigDifference difference;
    std::map<std::string, std::string> old_values;
    std::set<std::string> gone;
    for (const ConfigRow& row : config_rows(before)) {
        old_values[row.key] = row.value;
        gone.insert(row.key);
    }
    for (const ConfigRow& row : config_rows(after)) {
        gone.erase(row.key);
        const auto at = old_values.find(row.key);
        if (at == old_values.end()) {
            difference.needs_restart.push_back(row.key);  // a new listener
        } else if (at->second != row.value) {
            (row.takes == Takes::reload ? difference.at_once : difference.needs_restart)
                .push_back(row.key);
        }
    }
    difference.needs_restart.insert(difference.needs_restart.end(), gone.begin(),
                                    gone.end());  // a listener was removed
    return difference;
}

Loaded with_changes(const Loaded& in_use, const Loaded& fresh) {
    Loaded out = in_use;
    for (const Section& section : config_sections()) {
        const std::string prefix = section.name.empty() ? "" : std::string{section.name} + ".";
        take<Config>(out, fresh, section.settings, out.config, fresh.config, prefix);
    }
    for (Listener& listener : out.config.listeners) {
        const auto& all = fresh.config.listeners;
        const auto same = std::find_if(all.begin(), all.end(), [&](const Listener& entry) {
            return entry.name == listener.name;
        });
        if (same != all.end()) {
            take<Listener>(out, fresh, listener_settings(), listener, *same,
                           "listener." + listener.name + ".");
        }
    }
    return out;
}

}  // namespace iotsky::apps
