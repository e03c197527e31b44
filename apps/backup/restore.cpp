#include "apps/backup/restore.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

#include "apps/backup/names.hpp"
#include "apps/backup/plan.hpp"
#include "apps/config/locate.hpp"
#include "base/file_stamp.hpp"
#include "certs/local_addresses.hpp"
#include "certs/sealed_file.hpp"

namespace iotsky::apps::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBefore = "before-restore-";

/// All that belongs to an installation, beside its configuration.
constexpr std::string_view kReplaced[] = {
    "registry.db", "messages.db",   "messages.db.damaged", "ca",
    "admin.token", "server-ca.crt", "server-ca-next.crt",
};

/// The configuration goes where it was, if that was the data folder; else into a folder of its own.
Result<std::vector<Incoming>> incoming(const fs::path& fresh, const Manifest& manifest,
                                       const std::string& aside) {
    std::vector<Incoming> all;
    IOTSKY_TRY(names, names_in(fresh));
    for (const std::string& name : names) {
        if (name != kManifestPath && name != kConfigFolder) {
            all.push_back({name, name});
        }
    }
    const std::string config{kConfigFolder};
    if (manifest.config_file.empty()) {
        return all;
    }
    if (!manifest.config_in_data) {
        all.push_back({config, aside});
        return all;
    }
    IOTSKY_TRY(parts, names_in(fresh / config));
    for (const std::string& name : parts) {
        all.push_back({config + "/" + name, name});
    }
    return all;
}

/// Names in `data` that the restore takes the place of.
std::vector<std::string> outgoing(const fs::path& data, const Manifest& manifest,
                                  const std::vector<Incoming>& in) {
    std::vector<std::string> names(std::begin(kReplaced), std::end(kReplaced));
    if (manifest.config_in_data) {
        names.emplace_back("conf.d");  // one configuration with the main file: they are not mixed
    }
    for (const Incoming& each : in) {
        if (std::find(names.begin(), names.end(), each.to) == names.end()) {
            names.push_back(each.to);
        }
    }
    std::erase_if(names, [&](const std::string& name) { return !is_there(data / name); });
    return names;
}

/// With the side files of databases; a side file without its database is in the way, too.
std::vector<std::string> with_side_files(const fs::path& data, std::vector<std::string> names) {
    for (const char* side :
         {"registry.db-wal", "registry.db-shm", "messages.db-wal", "messages.db-shm"}) {
        if (is_there(data / side)) {
            names.emplace_back(side);
        }
    }
    return names;
}

/// A new folder for what was there; its name.
Result<std::string> make_before(const fs::path& data, const std::string& time) {
    for (;;) {
        const std::string name = free_name(data, std::string{kBefore} + time);
        if (::mkdir((data / name).c_str(), 0700) == 0) {
            IOTSKY_CHECK(give_to_owner(data, data / name));
            return name;
        }
        if (errno != EEXIST) {
            return certs::sealed_disk_error(data / name, errno);
        }
    }
}

/// Folders for what was there of restores that were killed before their plan.
void remove_empty_befores(const fs::path& data) {
    if (const auto names = names_in(data)) {
        for (const std::string& name : *names) {
            if (name.starts_with(kBefore)) {
                ::rmdir((data / name).c_str());  // only an empty one
            }
        }
    }
}

/// Everything of the plan is on disk before the plan is.
Result<void> make_durable(const fs::path& data, const Plan& plan) {
    IOTSKY_CHECK(give_to_owner(data, data / plan.fresh));
    IOTSKY_CHECK(give_to_owner(data, data / "lock"));
    IOTSKY_CHECK(sync_tree(data / plan.fresh));
    return write_plan(data, plan);
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

std::vector<std::string> replaced_by_restore(const fs::path& data_folder, const Staged& staged) {
    const auto in = incoming(staged.folder.path(), staged.content.manifest, {});
    return outgoing(data_folder, staged.content.manifest,
                    in ? *in : std::vector<Incoming>{});  // what cannot be listed is told later
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
    const Manifest& manifest = staged.content.manifest;
    const std::string time = file_stamp(now);
    const std::string aside = free_name(data_folder, "config-of-backup-" + time);
    Plan plan;
    plan.fresh = staged.folder.path().filename().string();
    IOTSKY_TRY(in, incoming(staged.folder.path(), manifest, aside));
    plan.in = std::move(in);
    plan.out = with_side_files(data_folder, outgoing(data_folder, manifest, plan.in));
    if (!plan.out.empty()) {
        IOTSKY_TRY(before, make_before(data_folder, time));
        plan.before = std::move(before);
    }
    // The plan's from now on: one that cannot be written may be on disk all the same.
    staged.folder.release();
    if (auto written = make_durable(data_folder, plan); !written) {
        IOTSKY_CHECK(drop_plan(data_folder, plan));
        return std::move(written).error();
    }
    IOTSKY_CHECK(carry_out(data_folder, plan));
    Restored restored;
    if (!plan.before.empty()) {
        restored.before = data_folder / plan.before;
    }
    if (!manifest.config_file.empty() && !manifest.config_in_data) {
        restored.config = data_folder / aside / manifest.config_file;
        restored.config_was_in = manifest.config_folder;
    }
    return restored;
}

Result<bool> finish_restore(const fs::path& data_folder) {
    IOTSKY_TRY(plan, read_plan(data_folder));
    if (plan) {
        IOTSKY_CHECK(carry_out(data_folder, *plan));
        return true;
    }
    ScratchFolder::remove_leftovers(data_folder);
    remove_empty_befores(data_folder);
    return false;
}

}  // namespace iotsky::apps::backup
