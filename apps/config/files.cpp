#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "apps/config/load.hpp"
#include "base/errno_text.hpp"
#include "base/text.hpp"

namespace iotsky::apps {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;

Error file_error(const std::filesystem::path& file, const std::string& what, std::string why,
                 std::string how) {
    return make_error(Errc::invalid_argument, "E1150",
                      "The configuration file " + file.string() + " " + what + ".", std::move(why),
                      std::move(how));
}

Result<void> check_file(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return file_error(file, "cannot be read: " + errno_text(errno),
                          "Starting without it would mean starting with settings nobody chose.",
                          "Check the path and its owner, or leave --config out for the defaults.");
    }
    if (!S_ISREG(status.st_mode)) {
        return file_error(file, "is not a file", "Only a regular file can be read again on reload.",
                          "Give the path of a TOML file.");
    }
    if ((status.st_mode & S_IWOTH) != 0) {
        return file_error(file, "can be written by everybody",
                          "Any account of this machine could open a listener or change the rights.",
                          "chmod o-w " + file.string());
    }
    if (status.st_size == 0 || static_cast<std::uintmax_t>(status.st_size) > kFileBytesMax) {
        return file_error(file, status.st_size == 0 ? "is empty" : "is longer than 1 MiB",
                          "A file that was cut off or mixed up is not a configuration.",
                          "Restore it, or leave --config out for the defaults.");
    }
    return {};
}

Result<Source> read_one(const std::filesystem::path& file) {
    IOTSKY_CHECK(check_file(file));
    std::ifstream in{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in || text.empty()) {
        return file_error(file, "cannot be read",
                          "This account may not read it, or the disk failed.",
                          "ls -l " + file.string());
    }
    return Source{file.string(), std::filesystem::absolute(file).parent_path(), std::move(text)};
}

std::string lower(std::string_view text) {
    std::string out{text};
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return out;
}

}  // namespace

Result<std::vector<Source>> read_config_files(const std::filesystem::path& file) {
    std::vector<Source> sources;
    IOTSKY_TRY(first, read_one(file));
    sources.push_back(std::move(first));

    std::vector<std::filesystem::path> more;
    std::error_code ignored;  // no conf.d is the usual case
    for (const auto& entry :
         std::filesystem::directory_iterator{sources[0].folder / "conf.d", ignored}) {
        if (entry.path().extension() == ".toml") {
            more.push_back(entry.path());
        }
    }
    std::sort(more.begin(), more.end());
    for (const auto& path : more) {
        IOTSKY_TRY(source, read_one(path));
        sources.push_back(std::move(source));
    }
    return sources;
}

std::vector<Override> environment_overrides(std::span<const std::string> environment) {
    constexpr std::string_view kPrefix = "IOTSKY_";
    std::vector<Override> overrides;
    for (const std::string& entry : environment) {
        const std::size_t equals = entry.find('=');
        if (!entry.starts_with(kPrefix) || equals == std::string::npos) {
            continue;
        }
        const std::string name = entry.substr(0, equals);
        std::string_view rest = std::string_view{name}.substr(kPrefix.size());
        Override found{name, {}, entry.substr(equals + 1)};
        for (std::size_t at = rest.find("__"); at != std::string_view::npos; at = rest.find("__")) {
            found.path.push_back(lower(rest.substr(0, at)));
            rest.remove_prefix(at + 2);
        }
        found.path.push_back(lower(rest));
        if (found.path.size() >= 2) {
            overrides.push_back(std::move(found));
        }
    }
    std::sort(overrides.begin(), overrides.end(),
              [](const Override& a, const Override& b) { return a.origin < b.origin; });
    return overrides;
}

std::vector<std::string> process_environment() {
    std::vector<std::string> out;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        out.emplace_back(*entry);
    }
    return out;
}

}  // namespace iotsky::apps
