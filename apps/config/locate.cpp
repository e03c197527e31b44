#include "apps/config/locate.hpp"

namespace iotsky::apps {

std::filesystem::path config_file_of(const ConfigChoice& choice) {
    if (!choice.file.empty()) {
        return choice.file;
    }
    const std::filesystem::path usual = choice.data_dir.empty()
                                            ? std::filesystem::path{"/etc/iotsky/iotsky.toml"}
                                            : choice.data_dir / "iotsky.toml";
    std::error_code ignored;
    return std::filesystem::exists(usual, ignored) ? usual : std::filesystem::path{};
}

Result<Loaded> load_chosen(const ConfigChoice& choice, std::span<const std::string> environment) {
    std::vector<Source> sources;
    if (const std::filesystem::path file = config_file_of(choice); !file.empty()) {
        IOTSKY_TRY(read, read_config_files(file));
        sources = std::move(read);
    }
    std::vector<Override> overrides = environment_overrides(environment);
    if (!choice.data_dir.empty()) {
        overrides.push_back({"--data",
                             {"server", "data_dir"},
                             std::filesystem::absolute(choice.data_dir).string()});
    }
    return load_config(sources, overrides);
}

}  // namespace iotsky::apps
