#pragma once

#include <string>
#include <vector>

#include "apps/config/load.hpp"
#include "apps/config/setting.hpp"

/// The configuration as text. Thread: any (pure).
namespace iotsky::apps {

/// One key with the value in force.
struct ConfigRow {
    std::string key;     ///< "log.level", "listener.mqtts.bind"
    std::string value;   ///< as TOML writes it, which is JSON, too
    std::string origin;  ///< "default", "file:line:col", a variable, a flag
    Takes takes = Takes::restart;
};
/// All keys in the order of the documentation.
[[nodiscard]] std::vector<ConfigRow> config_rows(const Loaded& loaded);

/// docs/config.md, whole: every section and key with type, range, default and meaning.
[[nodiscard]] std::string config_reference();
/// The values in force, as TOML.
[[nodiscard]] std::string show_config(const Config& config);
/// One line a key: name, value, where it came from.
[[nodiscard]] std::string show_origins(const Loaded& loaded);

}  // namespace iotsky::apps
