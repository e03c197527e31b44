#include "apps/backup/plan.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>

#include "apps/backup/description.hpp"
#include "apps/files.hpp"
#include "apps/scratch_folder.hpp"
#include "base/file_io.hpp"
#include "base/text.hpp"
#include "certs/files.hpp"
#include "certs/sealed_file.hpp"

namespace iotsky::apps::backup {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kMark = "restore.json";
constexpr std::size_t kMarkBytesMax = std::size_t{4} << 20U;

Error disk_error(const fs::path& file, int number) {
    return certs::sealed_disk_error(file, number);
}

Error stuck(const fs::path& file, std::string why) {
    return make_error(Errc::io, "E5109", "A restore that was begun cannot go on.",
                      file.string() + ": " + std::move(why),
                      "Mend the cause and start iotsky (or run the restore) again. If the data "
                      "are as you want them, delete restore.json in the data folder.");
}

/// Not there is an answer; a disk that does not say is an error.
Result<bool> is_present(const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0) {
        return true;
    }
    return errno == ENOENT || errno == ENOTDIR ? Result<bool>{false} : disk_error(path, errno);
}

Result<void> sync_names(const fs::path& folder) {
    const int fault = sync_names_in(folder);
    return fault == 0 ? Result<void>{} : disk_error(folder, fault);
}

/// Never over something: a name that is taken is one that the plan does not know.
Result<void> move(const fs::path& from, const fs::path& to) {
    IOTSKY_TRY(taken, is_present(to));
    if (taken) {
        return disk_error(to, EEXIST);
    }
    return ::rename(from.c_str(), to.c_str()) == 0 ? Result<void>{} : disk_error(from, errno);
}

/// Names of one plan in one data folder.
class Moves {
  public:
    Moves(const fs::path& data, const Plan& plan) : data_(data), plan_(plan) {}

    [[nodiscard]] Result<void> check_before() const;
    [[nodiscard]] Result<void> forward() const;
    [[nodiscard]] Result<void> back() const;

  private:
    [[nodiscard]] fs::path unpacked(const Incoming& each) const {
        return data_ / plan_.fresh / each.from;
    }
    [[nodiscard]] fs::path kept(const std::string& name) const {
        return data_ / plan_.before / name;
    }
    /// Whether what lies in the data folder under this name came with the restore.
    [[nodiscard]] Result<bool> has_come(const std::string& name) const;
    [[nodiscard]] Result<void> check_unpacked() const;
    [[nodiscard]] Result<void> move_out() const;
    [[nodiscard]] Result<void> move_in() const;

    const fs::path& data_;
    const Plan& plan_;
};

Result<void> Moves::check_before() const {
    if (plan_.out.empty()) {
        return {};
    }
    IOTSKY_TRY(there, is_present(data_ / plan_.before));
    return there ? Result<void>{}
                 : stuck(data_ / plan_.before, "what was in the data folder before is gone.");
}

Result<bool> Moves::has_come(const std::string& name) const {
    IOTSKY_TRY(there, is_present(data_ / name));
    if (!there || std::find(plan_.out.begin(), plan_.out.end(), name) == plan_.out.end()) {
        return there;
    }
    return is_present(kept(name));
}

Result<void> Moves::check_unpacked() const {
    for (const Incoming& each : plan_.in) {
        IOTSKY_TRY(waits, is_present(unpacked(each)));
        IOTSKY_TRY(come, has_come(each.to));
        if (!waits && !come) {
            return disk_error(unpacked(each), ENOENT);
        }
    }
    return {};
}

Result<void> Moves::move_out() const {
    for (const std::string& name : plan_.out) {
        IOTSKY_TRY(done, is_present(kept(name)));
        if (!done) {
            IOTSKY_CHECK(move(data_ / name, kept(name)));
        }
    }
    if (!plan_.out.empty()) {
        IOTSKY_CHECK(sync_names(data_ / plan_.before));
    }
    return sync_names(data_);
}

Result<void> Moves::move_in() const {
    for (const Incoming& each : plan_.in) {
        IOTSKY_TRY(waits, is_present(unpacked(each)));
        if (waits) {
            IOTSKY_CHECK(move(unpacked(each), data_ / each.to));
        }
    }
    return sync_names(data_);
}

Result<void> Moves::forward() const {
    IOTSKY_CHECK(check_unpacked());
    IOTSKY_CHECK(move_out());
    return move_in();
}

Result<void> Moves::back() const {
    for (const Incoming& each : plan_.in) {
        IOTSKY_TRY(waits, is_present(unpacked(each)));
        IOTSKY_TRY(come, has_come(each.to));
        if (come && !waits) {
            IOTSKY_CHECK(make_folder(unpacked(each).parent_path()));
            IOTSKY_CHECK(move(data_ / each.to, unpacked(each)));
        }
    }
    for (const std::string& name : plan_.out) {
        IOTSKY_TRY(moved, is_present(kept(name)));
        if (moved) {
            IOTSKY_CHECK(move(kept(name), data_ / name));
        }
    }
    return sync_names(data_);
}

/// One name, without a way out of its folder.
std::string name_of(const json::value& text) {
    std::string name = json::value_to<std::string>(text);
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
        throw std::invalid_argument("a name that is none");
    }
    return name;
}

Incoming incoming_of(const json::value& value) {
    const std::string from = json::value_to<std::string>(value.at("from"));
    const std::string below = std::string{kConfigFolder} + "/";
    Incoming each{"", name_of(value.at("to"))};
    each.from = from.starts_with(below) ? below + name_of(json::value(from.substr(below.size())))
                                        : name_of(value.at("from"));
    return each;
}

Plan parse_plan(std::string_view text) {
    const json::value value = json::parse(json::string_view{text.data(), text.size()});
    Plan plan;
    plan.fresh = name_of(value.at("fresh"));
    for (const json::value& name : value.at("out").as_array()) {
        plan.out.push_back(name_of(name));
    }
    if (!plan.out.empty()) {
        plan.before = name_of(value.at("before"));
    }
    for (const json::value& each : value.at("in").as_array()) {
        plan.in.push_back(incoming_of(each));
    }
    return plan;
}

Error taken_back(const Error& cause) {
    Error error =
        make_error(Errc::io, "E5109", "The restore was taken back: the data are as before.",
                   cause.message + " " + cause.why,
                   "Mend the cause and restore again (iotsky backup restore).");
    error.detail = cause.detail;
    return error;
}

}  // namespace

Result<void> write_plan(const fs::path& data, const Plan& plan) {
    json::array in;
    for (const Incoming& each : plan.in) {
        in.push_back(json::object{{"from", each.from}, {"to", each.to}});
    }
    const json::object text{{"fresh", plan.fresh},
                            {"before", plan.before},
                            {"out", json::array(plan.out.begin(), plan.out.end())},
                            {"in", std::move(in)}};
    IOTSKY_CHECK(write_atomically(data / kMark, json::serialize(text), 0600));
    return give_to_owner(data, data / kMark);
}

Result<std::optional<Plan>> read_plan(const fs::path& data) {
    IOTSKY_TRY(there, is_present(data / kMark));
    if (!there) {
        return std::optional<Plan>{};
    }
    const auto text = certs::read_file(data / kMark, certs::FileKind::secret, kMarkBytesMax);
    if (!text) {
        return stuck(data / kMark, text.error().message + " " + text.error().why);
    }
    try {
        return std::optional{parse_plan(text->view())};
    } catch (const std::exception& fault) {
        return stuck(data / kMark, std::string{fault.what()} + ".");
    }
}

Result<void> drop_plan(const fs::path& data, const Plan& plan) {
    if (::unlink((data / kMark).c_str()) != 0 && errno != ENOENT) {
        return disk_error(data / kMark, errno);
    }
    IOTSKY_CHECK(sync_names(data));
    ScratchFolder::erase(data / plan.fresh);
    if (!plan.before.empty()) {
        ::rmdir((data / plan.before).c_str());  // only when it is empty: nothing moved out
    }
    return {};
}

Result<void> carry_out(const fs::path& data, const Plan& plan) {
    const Moves moves{data, plan};
    IOTSKY_CHECK(moves.check_before());
    const auto done = moves.forward();
    if (done) {
        return drop_plan(data, plan);
    }
    if (auto back = moves.back(); !back) {
        return stuck(data, done.error().message + " " + done.error().why +
                               " And to take it back: " + back.error().message + " " +
                               back.error().why);
    }
    IOTSKY_CHECK(drop_plan(data, plan));
    return taken_back(done.error());
}

Result<void> give_to_owner(const fs::path& data, const fs::path& path) {
    struct stat info {};
    std::error_code fault;
    IOTSKY_TRY(there, is_present(path));
    if (::geteuid() != 0 || !there || ::stat(data.c_str(), &info) != 0) {
        return {};
    }
    std::vector<fs::path> all{path};
    if (fs::is_directory(fs::symlink_status(path, fault))) {
        for (fs::recursive_directory_iterator at{path, fault}, end; !fault && at != end;
             at.increment(fault)) {
            all.push_back(at->path());
        }
    }
    if (fault) {
        return disk_error(path, fault.value());
    }
    for (const fs::path& each : all) {
        if (::lchown(each.c_str(), info.st_uid, info.st_gid) != 0) {
            return disk_error(each, errno);
        }
    }
    return {};
}

Result<void> sync_tree(const fs::path& folder) {
    std::vector<fs::path> folders{folder};
    std::error_code fault;
    for (fs::recursive_directory_iterator at{folder, fault}, end; !fault && at != end;
         at.increment(fault)) {
        if (at->is_directory(fault)) {
            folders.push_back(at->path());
        }
    }
    if (fault) {
        return disk_error(folder, fault.value());
    }
    for (const fs::path& each : folders) {
        IOTSKY_CHECK(sync_names(each));
    }
    return {};
}

}  // namespace iotsky::apps::backup
