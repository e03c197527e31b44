#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "apps/config/load.hpp"

namespace iotsky::apps {

/// Which configuration a run uses, as its flags say.
struct ConfigChoice {
    std::filesystem::path file;      ///< --config; empty: not given
    std::filesystem::path data_dir;  ///< --data; empty: not given
};

/// The file that a choice means: --config, else DIR/iotsky.toml of --data when it exists, else
/// without --data /etc/iotsky/iotsky.toml when it exists. Empty: the defaults alone.
[[nodiscard]] std::filesystem::path config_file_of(const ConfigChoice& choice);

/// Reads the files of a choice and merges them with the environment. The data folder of the result
/// is absolute. Errors: those of read_config_files and load_config.
[[nodiscard]] Result<Loaded> load_chosen(const ConfigChoice& choice,
                                         std::span<const std::string> environment);

}  // namespace iotsky::apps
