#pragma once

#include <string>
#include <vector>

#include "api/machine.hpp"
#include "apps/config/locate.hpp"
#include "base/thread.hpp"

namespace iotsky::apps {

/// Facts of the running program and its configuration, as the HTTP endpoint asks them.
/// Synchronised; any thread.
class MachineBridge final : public api::Machine {
  public:
    /// `loaded` is what the program started with, by `choice`.
    MachineBridge(ConfigChoice choice, Loaded loaded, api::MachineStatus status);

    [[nodiscard]] api::MachineStatus status() const override;
    [[nodiscard]] std::vector<api::ConfigValue> config() const override;
    [[nodiscard]] Result<void> check_config(std::string_view toml) const override;
    [[nodiscard]] Result<api::ReloadReport> reload_config() override;

    /// What the program learns later: listeners, endpoint, whether it is ready.
    void set_status(api::MachineStatus status);

  private:
    const ConfigChoice choice_;
    mutable Mutex mutex_;
    Loaded loaded_ IOTSKY_GUARDED_BY(mutex_);
    api::MachineStatus status_ IOTSKY_GUARDED_BY(mutex_);
};

/// What differs between two configurations: keys that take effect at once, and those that need a
/// restart. Pure.
[[nodiscard]] api::ReloadReport compare(const Loaded& before, const Loaded& after);

}  // namespace iotsky::apps
