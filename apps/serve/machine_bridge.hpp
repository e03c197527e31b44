#pragma once

#include <functional>
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
    /// Puts a configuration to use: all of what can change while the program runs, or nothing.
    /// @return Keys whose file changed, though not their value.
    using ApplyConfig = std::function<Result<std::vector<std::string>>(const Config&)>;

    /// `loaded` is what the program started with, by `choice`.
    MachineBridge(ConfigChoice choice, Loaded loaded, api::MachineStatus status, ApplyConfig apply);

    [[nodiscard]] api::MachineStatus status() const override;
    [[nodiscard]] std::vector<api::ConfigValue> config() const override;
    [[nodiscard]] Result<void> check_config(std::string_view toml) const override;
    [[nodiscard]] Result<api::ReloadReport> reload_config() override;

    /// The configuration's main file; empty: the defaults are used.
    [[nodiscard]] std::filesystem::path config_file() const { return config_file_of(choice_); }
    /// What the program learns later: listeners, endpoint, whether it is ready.
    void set_status(api::MachineStatus status);

  private:
    [[nodiscard]] Loaded loaded() const;

    const ConfigChoice choice_;
    const ApplyConfig apply_;
    Mutex reloading_;  ///< before mutex_: one reload at a time
    mutable Mutex mutex_;
    Loaded loaded_ IOTSKY_GUARDED_BY(mutex_);
    api::MachineStatus status_ IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::apps
