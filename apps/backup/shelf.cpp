#include "apps/backup/shelf.hpp"

#include <algorithm>

#include "apps/backup/names.hpp"
#include "apps/backup/unpack.hpp"
#include "apps/cli/program.hpp"
#include "apps/files.hpp"
#include "base/file_stamp.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "storage/migrate.hpp"
#include "storage/snapshot.hpp"

namespace iotsky::apps::backup {
namespace {

namespace fs = std::filesystem;

using namespace std::chrono_literals;

constexpr std::string_view kExtension = ".backup";
constexpr auto kSetBack = 1h;

std::string_view prefix_of(Kind kind) {
    switch (kind) {
        case Kind::made:
            return "made-";
        case Kind::automatic:
            return "auto-";
        case Kind::before_upgrade:
            break;
    }
    return "before-";
}

bool is_usable(const Description& description) {
    return description.registry_format <= storage::registry_schema().migrations.size() &&
           description.messages_format <= storage::messages_schema().migrations.size();
}

/// Whether this start would change the file.
bool is_older(std::size_t format, const storage::Schema& schema) {
    return format != 0 && format < schema.migrations.size();
}

/// What cannot be read is for those to tell who open it.
bool is_upgrade(const fs::path& data_folder, bool opens_messages) {
    const auto registry = storage::registry_format_of(data_folder / "registry.db");
    const auto messages = storage::messages_format_of(data_folder / "messages.db");
    return (registry && is_older(*registry, storage::registry_schema())) ||
           (opens_messages && messages && is_older(*messages, storage::messages_schema()));
}

Error not_begun(const Error& cause) {
    Error error = make_error(
        Errc::io, "E5101", "The databases were not brought to the new format; nothing was changed.",
        "No backup could be made before it: " + cause.message + " " + cause.why,
        cause.how.empty() ? "Mend the cause and start again." : cause.how);
    error.detail = cause.detail;
    return error;
}

}  // namespace

Result<void> Shelf::prepare() const {
    return make_folder(folder_);
}

std::string Shelf::new_name(Kind kind, std::string_view program, WallTime now) const {
    std::string name{prefix_of(kind)};
    if (kind == Kind::before_upgrade) {
        name += std::string{program} + "-";
    }
    name += file_stamp(now);
    return free_name(folder_, name, kExtension);
}

fs::path Shelf::file_of(std::string_view name) const {
    return folder_ / (std::string{name} + std::string{kExtension});
}

std::vector<Shelved> Shelf::list() const {
    std::vector<Shelved> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{folder_, ignored}) {
        if (entry.path().extension() != kExtension) {
            continue;
        }
        if (auto description = describe(entry.path())) {
            found.push_back({entry.path().stem().string(), entry.path(), entry.file_size(ignored),
                             std::move(*description)});
        }
    }
    std::sort(found.begin(), found.end(), [](const Shelved& a, const Shelved& b) {
        return std::tuple{b.description.made_at, b.name} <
               std::tuple{a.description.made_at, a.name};
    });
    return found;
}

std::optional<Shelved> Shelf::find(std::string_view name) const {
    const std::vector<Shelved> all = list();
    auto at = std::find_if(all.begin(), all.end(),
                           [&](const Shelved& each) { return each.name == name; });
    if (at == all.end() && !name.empty()) {
        at = std::find_if(all.begin(), all.end(),
                          [&](const Shelved& each) { return each.name.starts_with(name); });
    }
    return at == all.end() ? std::nullopt : std::optional{*at};
}

Result<void> Shelf::remove(std::string_view name) const {
    const std::vector<Shelved> all = list();
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const Shelved& each) { return each.name == name; });
    std::error_code fault;
    if (at == all.end() || !fs::remove(at->file, fault)) {
        return no_such_backup(name);
    }
    return {};
}

std::optional<WallTime> Shelf::newest(Kind kind, WallTime now) const {
    for (const Shelved& each : list()) {
        if (each.description.kind == kind && !is_ahead(each.description.made_at, now)) {
            return each.description.made_at;
        }
    }
    return std::nullopt;
}

void Shelf::remove_leftovers() const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{folder_, ignored}) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(std::string{kExtension} + std::string{kPartial}) ||
            name.ends_with(std::string{kExtension} + std::string{kPartialCopy})) {
            fs::remove(entry.path(), ignored);
        }
    }
}

void Shelf::keep_newest(Kind kind, std::size_t keep, WallTime now) const {
    std::vector<Shelved> all = list();
    std::stable_partition(all.begin(), all.end(), [&](const Shelved& each) {
        return !is_ahead(each.description.made_at, now);
    });
    std::size_t seen = 0;
    for (const Shelved& each : all) {
        if (each.description.kind == kind && ++seen > keep) {
            std::error_code ignored;
            fs::remove(each.file, ignored);
        }
    }
}

bool is_ahead(WallTime made_at, WallTime now) noexcept {
    return made_at > now + kSetBack;
}

Error no_such_backup(std::string_view name) {
    return make_error(Errc::not_found, "E5111", "There is no backup \"" + escape(name, 80) + "\".",
                      "It is neither a file nor a name in the folder of backups.",
                      "iotsky backup list shows them.");
}

Result<std::optional<std::string>> back_up_before_upgrade(const fs::path& data_folder,
                                                          ConfigFiles config,
                                                          const UpgradeOptions& options,
                                                          WallTime now, Random& random,
                                                          const GoOn& go_on) {
    if (!is_upgrade(data_folder, options.opens_messages)) {
        return std::optional<std::string>{};
    }
    const Shelf shelf{data_folder};
    if (auto made = shelf.prepare(); !made) {
        return not_begun(made.error());
    }
    shelf.remove_leftovers();
    auto sources = sources_at_rest(data_folder, std::move(config));
    if (!sources) {
        return not_begun(sources.error());
    }
    const std::string name = shelf.new_name(Kind::before_upgrade, cli::version(), now);
    const Order order{shelf.file_of(name), Kind::before_upgrade, options.passphrase, cli::version(),
                      now};
    if (auto made = create_backup(std::move(*sources), order, random, go_on); !made) {
        return made.error().number == "E5110" ? made.error() : not_begun(made.error());
    }
    shelf.keep_newest(Kind::before_upgrade, options.keep, now);
    log::info("", "backup made before the databases get a new format",
              {{"detail", order.to.string()}});
    return std::optional{name};
}

Error with_way_back(Error error, const fs::path& data_folder) {
    if (error.number != "E5312") {
        return error;
    }
    for (const Shelved& each : Shelf{data_folder}.list()) {
        if (is_usable(each.description)) {
            error.how = "Start the newer iotsky again, or go back to what was there at " +
                        format_utc(each.description.made_at) + ": iotsky --data " +
                        data_folder.string() + " backup restore " + each.name;
            break;
        }
    }
    return error;
}

}  // namespace iotsky::apps::backup
