#pragma once

#include <string>
#include <vector>

#include "apps/config/load.hpp"

/// A configuration that is read again while the program runs. Thread: any (pure).
namespace iotsky::apps {

/// Keys in which two configurations differ.
struct ConfigDifference {
    std::vector<std::string> at_once;        ///< can change while the program runs
    std::vector<std::string> needs_restart;  ///< those of listeners that came or went, too
};
[[nodiscard]] ConfigDifference compare(const Loaded& before, const Loaded& after);

/// `in_use` with the values that `fresh` has for all keys that can change while the program runs;
/// listeners stay those of `in_use`.
[[nodiscard]] Loaded with_changes(const Loaded& in_use, const Loaded& fresh);

}  // namespace iotsky::apps
