#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/config/config.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// One TOML text. `name` is shown in errors and origins; relative paths in it are relative to
/// `folder`.
struct Source {
    std::string name;
    std::filesystem::path folder;
    std::string text;
};

/// One value from outside the files: an environment variable or a flag.
struct Override {
    std::string origin;             ///< "IOTSKY_LOG__LEVEL", "--data"
    std::vector<std::string> path;  ///< {"log", "level"}; sections and keys in lower case
    std::string value;              ///< as written; lists with commas
};

/// Where the value of each key came from that is not a default: "file:line:col", a variable, a
/// flag. Keys are dotted: "log.level", "listener.mqtts.bind".
using Origins = std::map<std::string, std::string>;

struct Loaded {
    Config config;
    Origins origins;
};

/// Where the key was set, or its own name when it has its default. Pure.
[[nodiscard]] std::string origin_of(const Loaded& loaded, const std::string& key);

/// Merges defaults, texts in their order and overrides in theirs; the last one wins. Listeners of
/// the texts replace all default listeners. Thread: any (pure).
///
/// @return Every problem found is in the error's `fields` ("file:line:col"); its own lines tell the
/// first.
///         E1151 not TOML, E1152 unknown key or section, E1153 wrong type, E1154 outside its range.
[[nodiscard]] Result<Loaded> load_config(std::span<const Source> sources,
                                         std::span<const Override> overrides);

/// The file and `conf.d/*.toml` beside it in the order of their names. Errors: E1150 missing,
/// unreadable, empty, longer than 1 MiB, or writable by others.
[[nodiscard]] Result<std::vector<Source>> read_config_files(const std::filesystem::path& file);

/// Variables of the form IOTSKY_SECTION__KEY, sorted by name; others are left out (IOTSKY_SERVER is
/// the CLI's).
[[nodiscard]] std::vector<Override> environment_overrides(std::span<const std::string> environment);

/// "NAME=value" of the process.
[[nodiscard]] std::vector<std::string> process_environment();

}  // namespace iotsky::apps
