#include "apps/serve/machine_bridge.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "apps/config/rules.hpp"
#include "apps/config/show.hpp"
#include "apps/serve/check_files.hpp"
#include "base/log.hpp"

namespace iotsky::apps {
namespace {

/// Takes over what can change while the program runs.
void apply(Loaded& in_use, const Loaded& fresh) {
    in_use.config.log.level = fresh.config.log.level;
    in_use.config.log.format = fresh.config.log.format;
    for (const char* key : {"log.level", "log.format"}) {
        const auto at = fresh.origins.find(key);
        if (at == fresh.origins.end()) {
            in_use.origins.erase(key);
        } else {
            in_use.origins[key] = at->second;
        }
    }
    log::configure(in_use.config.log.level, in_use.config.log.format);
}

}  // namespace

api::ReloadReport compare(const Loaded& before, const Loaded& after) {
    api::ReloadReport report;
    std::map<std::string, std::string> old_values;
    std::set<std::string> gone;
    for (const ConfigRow& row : config_rows(before)) {
        old_values[row.key] = row.value;
        gone.insert(row.key);
    }
    for (const ConfigRow& row : config_rows(after)) {
        gone.erase(row.key);
        const auto at = old_values.find(row.key);
        if (at == old_values.end() || at->second != row.value) {
            (row.takes == Takes::reload ? report.changed : report.needs_restart).push_back(row.key);
        }
    }
    report.needs_restart.insert(report.needs_restart.end(), gone.begin(),
                                gone.end());  // a listener was removed
    return report;
}

MachineBridge::MachineBridge(ConfigChoice choice, Loaded loaded, api::MachineStatus status)
    : choice_(std::move(choice)), loaded_(std::move(loaded)), status_(std::move(status)) {}

api::MachineStatus MachineBridge::status() const {
    const LockGuard lock{mutex_};
    return status_;
}

void MachineBridge::set_status(api::MachineStatus status) {
    const LockGuard lock{mutex_};
    status_ = std::move(status);
}

std::vector<api::ConfigValue> MachineBridge::config() const {
    std::vector<api::ConfigValue> values;
    {
        const LockGuard lock{mutex_};
        for (ConfigRow& row : config_rows(loaded_)) {
            values.push_back({std::move(row.key), std::move(row.value), std::move(row.origin)});
        }
    }
    std::sort(values.begin(), values.end(),
              [](const api::ConfigValue& a, const api::ConfigValue& b) { return a.key < b.key; });
    return values;
}

Result<void> MachineBridge::check_config(std::string_view toml) const {
    const std::filesystem::path file = config_file_of(choice_);
    const std::vector<Source> sources{
        {"request", file.empty() ? std::filesystem::current_path() : file.parent_path(),
         std::string{toml}}};
    IOTSKY_TRY(loaded, load_config(sources, {}));
    IOTSKY_CHECK(check_rules(loaded));
    return check_files(loaded);
}

Result<api::ReloadReport> MachineBridge::reload_config() {
    const std::vector<std::string> environment = process_environment();
    IOTSKY_TRY(fresh, load_chosen(choice_, environment));
    IOTSKY_CHECK(check_rules(fresh));
    const LockGuard lock{mutex_};
    api::ReloadReport report = compare(loaded_, fresh);
    apply(loaded_, fresh);
    return report;
}

}  // namespace iotsky::apps
