#include "apps/serve/machine_bridge.hpp"

#include <algorithm>

#include "apps/config/reload.hpp"
#include "apps/config/rules.hpp"
#include "apps/config/show.hpp"
#include "apps/serve/check_files.hpp"

namespace iotsky::apps {
MachineBridge::MachineBridge(ConfigChoice choice, Loaded loaded, api::MachineStatus status,
                             ApplyConfig apply)
    : choice_(std::move(choice)),
      apply_(std::move(apply)),
      loaded_(std::move(loaded)),
      status_(std::move(status)) {}

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
    for (ConfigRow& row : config_rows(loaded())) {
        values.push_back({std::move(row.key), std::move(row.value), std::move(row.origin)});
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
    const LockGuard one_at_a_time{reloading_};
    const std::vector<std::string> environment = process_environment();
    IOTSKY_TRY(fresh, load_chosen(choice_, environment));
    IOTSKY_CHECK(check_rules(fresh));
    const Loaded before = loaded();
    Loaded next = with_changes(before, fresh);
    IOTSKY_TRY(files, apply_(next.config));
    ConfigDifference difference = compare(before, fresh);
    for (std::string& key : files) {
        if (std::find(difference.at_once.begin(), difference.at_once.end(), key) ==
            difference.at_once.end()) {
            difference.at_once.push_back(std::move(key));
        }
    }
    const LockGuard lock{mutex_};
    loaded_ = std::move(next);
    return api::ReloadReport{std::move(difference.at_once), std::move(difference.needs_restart)};
}

Loaded MachineBridge::loaded() const {
    const LockGuard lock{mutex_};
    return loaded_;
}

}  // namespace iotsky::apps
