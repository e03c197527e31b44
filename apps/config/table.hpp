#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "apps/config/config.hpp"
#include "apps/config/setting.hpp"

/// Everything that can be configured, as data: reading, checking, `config show` and docs/config.md
/// come from here.
namespace iotsky::apps {

struct Section {
    std::string_view name;  ///< "server", "defaults.class"; empty: keys outside any table
    std::string_view help;
    std::vector<Setting<Config>> settings;
};

/// All sections but [listener.NAME], in the order of the documentation.
[[nodiscard]] std::span<const Section> config_sections();
/// The key of [limits] with this name; null when there is none. Listeners have some of these, too.
[[nodiscard]] const Setting<Config>* find_limit(std::string_view key);
/// The keys of a [listener.NAME] table.
[[nodiscard]] std::span<const Setting<Listener>> listener_settings();

}  // namespace iotsky::apps
