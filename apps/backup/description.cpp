#include "apps/backup/description.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <climits>

#include "base/text.hpp"
#include "certs/sealed_file.hpp"
#include "provisioning/roster/encoding.hpp"

namespace iotsky::apps::backup {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;
constexpr std::array kKinds{Kind::made, Kind::automatic, Kind::before_upgrade};
constexpr std::size_t kPathBytesMax = 512;

bool is_plain(std::string_view name) {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.front() != '.' && std::all_of(name.begin(), name.end(), allowed);
}

/// A name that people can read, type and find again: the list of files is JSON, which is UTF-8.
bool is_printable(std::string_view name) {
    return provisioning::is_utf8(name) && std::none_of(name.begin(), name.end(), [](char c) {
               return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
           });
}

/// A name of the broker's own in a data folder.
bool is_brokers(std::string_view name) {
    static constexpr std::array<std::string_view, 6> kNames{
        "admin.sock", "admin.token", "backup", "endpoints.json", "lock", "restore.json"};
    static constexpr std::array<std::string_view, 6> kBeginnings{
        "registry.db",     "messages.db",       "server-ca",
        "before-restore-", "config-of-backup-", ".iotsky-"};
    return name == "ca" || name.starts_with("ca.") ||
           std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
           std::any_of(kBeginnings.begin(), kBeginnings.end(),
                       [&](std::string_view begin) { return name.starts_with(begin); });
}

/// A path below config/: any names but those that lead elsewhere.
bool is_config(const std::vector<std::string_view>& parts) {
    return parts.size() > 1 && parts[0] == kConfigFolder && !is_brokers(parts[1]) &&
           std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               return !part.empty() && part.size() <= NAME_MAX && part != "." && part != ".." &&
                      is_printable(part);
           });
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
    switch (kind) {
        case Kind::made:
            return "made";
        case Kind::automatic:
            return "automatic";
        case Kind::before_upgrade:
            break;
    }
    return "before_upgrade";
}

std::string format(const Description& description) {
    return json::serialize(json::object{{"format", kFormat},
                                        {"kind", to_string(description.kind)},
                                        {"program", description.program},
                                        {"host", description.host},
                                        {"made_at", to_unix_s(description.made_at)},
                                        {"registry_format", description.registry_format},
                                        {"messages_format", description.messages_format},
                                        {"encrypted", description.encrypted}});
}

Result<Description> parse_description(std::string_view text, const std::filesystem::path& file) {
    try {
        const json::value value = json::parse(json::string_view{text.data(), text.size()});
        if (value.at("format").to_number<std::int64_t>() != kFormat) {
            return certs::not_sealed(file, "A later iotsky made it in another format.");
        }
        const std::string_view kind = value.at("kind").as_string();
        const auto known = std::find_if(kKinds.begin(), kKinds.end(),
                                        [&](Kind each) { return to_string(each) == kind; });
        return Description{known == kKinds.end() ? Kind::made : *known,
                           json::value_to<std::string>(value.at("program")),
                           json::value_to<std::string>(value.at("host")),
                           from_unix_s(value.at("made_at").to_number<std::int64_t>()),
                           value.at("registry_format").to_number<std::size_t>(),
                           value.at("messages_format").to_number<std::size_t>(),
                           value.at("encrypted").as_bool()};
    } catch (const std::exception&) {
        return certs::not_sealed(file, "Its header is not one of ours.");
    }
}

std::string format(const Manifest& manifest) {
    json::array files;
    for (const FileEntry& entry : manifest.files) {
        files.push_back(
            json::object{{"path", entry.path}, {"bytes", entry.bytes}, {"sha256", entry.sha256}});
    }
    return json::serialize(json::object{{"files", std::move(files)},
                                        {"config_file", manifest.config_file},
                                        {"config_folder", manifest.config_folder},
                                        {"config_in_data", manifest.config_in_data}});
}

Result<Manifest> parse_manifest(std::string_view text, const std::filesystem::path& file) {
    try {
        const json::value value = json::parse(json::string_view{text.data(), text.size()});
        Manifest manifest;
        for (const json::value& entry : value.at("files").as_array()) {
            manifest.files.push_back({json::value_to<std::string>(entry.at("path")),
                                      entry.at("bytes").to_number<std::uint64_t>(),
                                      json::value_to<std::string>(entry.at("sha256"))});
        }
        manifest.config_file = json::value_to<std::string>(value.at("config_file"));
        manifest.config_folder = json::value_to<std::string>(value.at("config_folder"));
        manifest.config_in_data = value.at("config_in_data").as_bool();
        return manifest;
    } catch (const std::exception&) {
        return not_whole(file, "Its list of files cannot be read.");
    }
}

Error not_whole(const std::filesystem::path& file, std::string why) {
    return make_error(Errc::corrupt, "E5107", file.string() + " does not fit together.",
                      std::move(why), "Take another backup; nothing was changed.");
}

bool is_known_path(std::string_view path) {
    static constexpr std::array<std::string_view, 6> kFiles{"registry.db",        "messages.db",
                                                            "admin.token",        "server-ca.crt",
                                                            "server-ca-next.crt", kManifestPath};
    if (path.size() > kPathBytesMax) {
        return false;
    }
    const auto parts = split(path, '/');
    if (parts.size() == 1) {
        return std::find(kFiles.begin(), kFiles.end(), path) != kFiles.end();
    }
    return (parts.size() == 2 && parts[0] == "ca" && is_plain(parts[1])) || is_config(parts);
}

}  // namespace iotsky::apps::backup
