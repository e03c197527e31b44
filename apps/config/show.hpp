#pragma once

#include <string>

#include "apps/config/load.hpp"

/// The configuration as text. Thread: any (pure).
namespace iotsky::apps {

/// docs/config.md, whole: every section and key with type, range, default and meaning.
[[nodiscard]] std::string config_reference();
/// The values in force, as TOML.
[[nodiscard]] std::string show_config(const Config& config);
/// One line a key: name, value, where it came from.
[[nodiscard]] std::string show_origins(const Loaded& loaded);

}  // namespace iotsky::apps
