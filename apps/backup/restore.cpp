#include "apps/backup/restore.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>

#include "apps/backup/create.hpp"
#include "apps/config/locate.hpp"
#include "apps/files.hpp"
#include "certs/files.hpp"
#include "certs/local_addresses.hpp"

namespace iotsky::apps::backup {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kMark = "restore.json";

/// What a restore has to do, and how far it is. Written before the first step, so that a start
/// after a crash goes on: what was there moves out, then what was unpacked moves in.
struct Plan {
    std::string fresh;   ///< folder of what comes
    std::string before;  ///< folder of what was there
    bool moved_out = false;
};

Error disk_error(const fs::path& file, const std::string& why) {
    return make_error(Errc::io, "E5109", file.string() + " cannot be read or written.", why + ".",
                      "Mend the cause and run the command (or start iotsky) again: it goes on.");
}

/// Root restores for the account that runs the broker: the folder's owner.
Result<void> give_to_owner(const fs::path& data, const fs::path& path) {
    struct stat info {};
    std::error_code fault;
    if (::geteuid() != 0 || ::stat(data.c_str(), &info) != 0 ||
        !fs::exists(fs::symlink_status(path, fault))) {
        return {};
    }
    std::vector<fs::path> all{path};
    if (fs::is_directory(path, fault)) {
        for (const auto& entry : fs::recursive_directory_iterator{path, fault}) {
            all.push_back(entry.path());
        }
    }
    for (const fs::path& each : all) {
        if (::lchown(each.c_str(), info.st_uid, info.st_gid) != 0) {
            return disk_error(each, "its owner cannot be set");
        }
    }
    return {};
}

Result<void> write_plan(const fs::path& data, const Plan& plan) {
    const json::object text{
        {"fresh", plan.fresh}, {"before", plan.before}, {"moved_out", plan.moved_out}};
    IOTSKY_CHECK(write_atomically(data / kMark, json::serialize(text), 0600));
    return give_to_owner(data, data / kMark);
}

Result<Plan> read_plan(const fs::path& mark) {
    std::ifstream in{mark};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    try {
        const json::value value = json::parse(text);
        const auto name = [&](const char* key) {
            return fs::path{json::value_to<std::string>(value.at(key))}.filename().string();
        };
        return Plan{name("fresh"), name("before"), value.at("moved_out").as_bool()};
    } catch (const std::exception& fault) {
        return disk_error(mark, fault.what());
    }
}

Result<void> move(const fs::path& from, const fs::path& to) {
    std::error_code fault;
    fs::rename(from, to, fault);
    return fault ? disk_error(from, fault.message()) : Result<void>{};
}

/// Files that belong to a database.
std::vector<std::string> with_side_files(std::string_view name) {
    const std::string text{name};
    return text.ends_with(".db") ? std::vector{text, text + "-wal", text + "-shm"}
                                 : std::vector{text};
}

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::error_code ignored;
    std::vector<fs::path> all;
    for (const auto& entry : fs::directory_iterator{folder, ignored}) {
        all.push_back(entry.path());
    }
    return all;
}

/// What was there, and whatever else has the name of something that comes.
Result<void> move_out(const fs::path& data, const fs::path& fresh, const fs::path& before) {
    IOTSKY_CHECK(make_folder(before));
    IOTSKY_CHECK(give_to_owner(data, before));
    std::vector<std::string> names = replaced_by_restore(data);
    for (const fs::path& path : entries_of(fresh)) {
        names.push_back(path.filename().string());
    }
    for (const std::string& name : names) {
        for (const std::string& part : with_side_files(name)) {
            if (fs::exists(fs::symlink_status(data / part))) {
                IOTSKY_CHECK(move(data / part, before / part));
            }
        }
    }
    IOTSKY_CHECK(certs::sync_folder(before));
    return certs::sync_folder(data);
}

Result<void> move_in(const fs::path& fresh, const fs::path& data) {
    for (const fs::path& path : entries_of(fresh)) {
        IOTSKY_CHECK(move(path, data / path.filename()));
    }
    std::error_code ignored;
    fs::remove(fresh, ignored);
    return certs::sync_folder(data);
}

Result<void> carry_out(const fs::path& data, Plan plan) {
    if (!plan.moved_out) {
        IOTSKY_CHECK(move_out(data, data / plan.fresh, data / plan.before));
        plan.moved_out = true;
        IOTSKY_CHECK(write_plan(data, plan));
    }
    IOTSKY_CHECK(move_in(data / plan.fresh, data));
    std::error_code fault;
    fs::remove(data / plan.before, fault);  // only when it is empty: nothing was there
    fs::remove(data / kMark, fault);
    return fault ? disk_error(data / kMark, fault.message()) : certs::sync_folder(data);
}

/// The configuration goes where it was, if that was the data folder; else into a folder of its own.
Result<void> place_config(const fs::path& fresh, const Manifest& manifest,
                          const std::string& aside) {
    const fs::path from = fresh / kConfigFolder;
    if (manifest.config_file.empty()) {
        return {};
    }
    if (!manifest.config_in_data) {
        return move(from, fresh / aside);
    }
    IOTSKY_CHECK(move_in(from, fresh));
    return {};
}

/// The names of the backup's configuration with the addresses of this machine.
Result<certs::ServerNames> names_here(const fs::path& fresh, const Manifest& manifest,
                                      const fs::path& data) {
    ConfigChoice choice;
    choice.data_dir = data;
    if (!manifest.config_file.empty()) {
        choice.file = fresh / kConfigFolder / manifest.config_file;
    }
    IOTSKY_TRY(loaded, load_chosen(choice, {}));
    IOTSKY_TRY(addresses, certs::local_addresses());
    return certs::ServerNames{loaded.config.server.names, certs::address_texts(addresses)};
}

}  // namespace

std::vector<std::string> replaced_by_restore(const fs::path& data_folder) {
    std::vector<std::string> names;
    for (const std::string_view name : kReplaced) {
        std::error_code ignored;
        if (fs::exists(fs::symlink_status(data_folder / name, ignored))) {
            names.emplace_back(name);
        }
    }
    return names;
}

Result<Staged> stage(const fs::path& data_folder, const RestoreOrder& order, WallTime now,
                     Random& random) {
    IOTSKY_TRY(folder, ScratchFolder::make(data_folder));
    IOTSKY_TRY(content, unpack(order.file, order.passphrase, folder.path()));
    std::optional<certs::ServerNames> names;
    if (order.as_new_host) {
        IOTSKY_TRY(here, names_here(folder.path(), content.manifest, data_folder));
        names = std::move(here);
    }
    IOTSKY_TRY(checked,
               check_unpacked(folder.path(), order.file, order.ca_passphrase, names, now, random));
    return Staged{std::move(folder), std::move(content), std::move(checked)};
}

Result<Restored> put_in_place(const fs::path& data_folder, Staged staged, WallTime now) {
    const fs::path fresh = staged.folder.path();
    const Manifest& manifest = staged.content.manifest;
    const std::string time = stamp(now);
    const Plan plan{fresh.filename().string(), "before-restore-" + time, false};
    const std::string aside = "config-of-backup-" + time;
    Restored restored;
    if (!replaced_by_restore(data_folder).empty()) {
        restored.before = data_folder / plan.before;
    }
    if (!manifest.config_file.empty() && !manifest.config_in_data) {
        restored.config = data_folder / aside / manifest.config_file;
        restored.config_was_in = manifest.config_folder;
    }
    std::error_code ignored;
    fs::remove(fresh / kManifestPath, ignored);
    IOTSKY_CHECK(place_config(fresh, manifest, aside));
    IOTSKY_CHECK(give_to_owner(data_folder, fresh));
    IOTSKY_CHECK(give_to_owner(data_folder, data_folder / "lock"));
    IOTSKY_CHECK(certs::sync_folder(fresh));
    IOTSKY_CHECK(write_plan(data_folder, plan));
    staged.folder.release();  // it is the plan's now, also when this call fails
    IOTSKY_CHECK(carry_out(data_folder, plan));
    return restored;
}

Result<bool> finish_restore(const fs::path& data_folder) {
    const fs::path mark = data_folder / kMark;
    std::error_code ignored;
    if (!fs::exists(mark, ignored)) {
        ScratchFolder::remove_leftovers(data_folder);
        return false;
    }
    IOTSKY_TRY(plan, read_plan(mark));
    IOTSKY_CHECK(carry_out(data_folder, plan));
    return true;
}

}  // namespace iotsky::apps::backup
