#include "apps/backup/names.hpp"

#include <algorithm>

#include "certs/sealed_file.hpp"

namespace iotsky::apps::backup {

namespace fs = std::filesystem;

Result<std::vector<std::string>> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code fault;
    for (fs::directory_iterator at{folder, fault}, end; !fault && at != end; at.increment(fault)) {
        names.push_back(at->path().filename().string());
    }
    if (fault) {
        return certs::sealed_disk_error(folder, fault.value());
    }
    std::sort(names.begin(), names.end());
    return names;
}

bool is_there(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

std::string free_name(const fs::path& folder, const std::string& name, std::string_view extension) {
    std::string unique = name;
    for (int n = 2; is_there(folder / (unique + std::string{extension})); ++n) {
        unique = name + "-" + std::to_string(n);
    }
    return unique;
}

}  // namespace iotsky::apps::backup
