#include "apps/cli/backup.hpp"

#include <sys/stat.h>

#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "apps/backup/restore.hpp"
#include "apps/backup/service.hpp"
#include "apps/backup/shelf.hpp"
#include "apps/cli/api.hpp"
#include "apps/cli/hidden_line.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "apps/config/config.hpp"
#include "apps/files.hpp"
#include "apps/scratch_folder.hpp"
#include "apps/serve/data_folder.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::chrono::milliseconds kAskAgain{100};

const std::vector<Column> kColumns{
    {"BACKUP", "name"}, {"MADE", "made_at"},        {"KIND", "kind"},       {"STATE", "state"},
    {"BYTES", "bytes"}, {"ENCRYPTED", "encrypted"}, {"VERSION", "program"}, {"FILE", "file"}};

struct NoArgs {};
struct CreateArgs {
    std::string to;
    std::string passphrase_file;
    bool not_encrypted = false;
};
struct FileArgs {
    std::string file;
    std::string passphrase_file;
    std::string ca_passphrase_file;
    bool as_new_host = false;
};

Error no_choice() {
    return usage_error("A backup holds the keys of the CA.",
                       "Whoever has it can make certificates, unless it is encrypted.",
                       "Give --passphrase-file FILE (one line, mode 0600), or "
                       "--i-know-it-is-not-encrypted; on a terminal it is asked for.");
}

/// For a new backup; empty: not encrypted.
Result<SecretString> new_passphrase(Session& session, const CreateArgs& args) {
    if (args.not_encrypted) {
        return SecretString{};
    }
    if (!args.passphrase_file.empty()) {
        return backup::read_passphrase_file(args.passphrase_file);
    }
    if (!session.streams.in_terminal) {
        return no_choice();
    }
    SecretString first = ask_hidden(session, "Passphrase of the backup (8 bytes or more)");
    IOTSKY_CHECK(backup::check_passphrase(first.view()));
    const SecretString second = ask_hidden(session, "The same again");
    if (first.view() != second.view()) {
        return usage_error("The two are not the same.",
                           "A backup whose passphrase nobody knows is none.", "Try again.");
    }
    return first;
}

/// For a backup that is there; empty: none is needed, or none can be had.
Result<SecretString> passphrase_for(Session& session, const FileArgs& args, const fs::path& file) {
    if (!args.passphrase_file.empty()) {
        return backup::read_passphrase_file(args.passphrase_file);
    }
    IOTSKY_TRY(description, backup::describe(file));
    if (!description.encrypted || !session.streams.in_terminal) {
        return SecretString{};
    }
    return ask_hidden(session, "Passphrase of the backup");
}

/// Waits until it is done; its problem as an error when it fails.
Result<json::value> wait_for(const Api& api, const json::value& begun) {
    const std::string path = "/backups/" + encode(text_at(begun, "name"));
    for (;;) {
        IOTSKY_TRY(now, api.call("GET", target(path)));
        const std::string state = text_at(now, "state");
        if (state == "done") {
            return now;
        }
        if (state == "failed") {
            const std::string problem = text_at(now, "problem");
            return make_error(Errc::io, problem.substr(0, problem.find(' ')),
                              problem.substr(std::min(problem.find(' ') + 1, problem.size())), "",
                              "The log of the broker has more.");
        }
        std::this_thread::sleep_for(kAskAgain);  // HTTP tells nobody that it is done
    }
}

Error not_reachable(const fs::path& file, const std::error_code& fault) {
    return make_error(Errc::permission_denied, "E5112",
                      "The backup was made, but cannot be copied from " + file.string() + ".",
                      fault.message() + ": the folder is the broker's alone.",
                      "Run the command with sudo, or copy the file yourself.");
}

/// Beside its name, synced, then renamed; then the broker's own copy goes.
Result<void> move_to(const Api& api, const json::value& made, const fs::path& to) {
    const fs::path from = text_at(made, "file");
    std::error_code fault;
    if (!fs::exists(from, fault)) {
        return not_reachable(from,
                             fault ? fault : std::make_error_code(std::errc::permission_denied));
    }
    IOTSKY_CHECK(copy_durably(from, to, 0600));
    IOTSKY_TRY(deleted, api.call("DELETE", target("/backups/" + encode(text_at(made, "name")))));
    static_cast<void>(deleted);
    return {};
}

Result<Exit> run_create(Session& session, const CreateArgs& args) {
    if (!args.to.empty() && fs::is_directory(args.to)) {
        return usage_error("\"" + args.to + "\" is a folder.", "A backup is one file.",
                           "For example --to " + (fs::path{args.to} / "iotsky.backup").string());
    }
    IOTSKY_TRY(passphrase, new_passphrase(session, args));
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(begun, api.call("POST", target("/backups"),
                               json::object{{"passphrase", passphrase.view()}}));
    IOTSKY_TRY(made, wait_for(api, begun));
    if (!args.to.empty()) {
        IOTSKY_CHECK(move_to(api, made, fs::absolute(args.to)));
        made.as_object()["file"] = fs::absolute(args.to).string();
    }
    for (const json::value& file : made.at("left_out").as_array()) {
        session.streams.err
            << "Not in it: " << std::string_view{file.as_string()}
            << " (outside of the configuration's folder, or a name that no backup has)\n";
    }
    return print_object(session, made, kColumns);
}

Result<Exit> run_list(Session& session, const NoArgs&) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items, api.list("/backups"));
    return print_list(session, items, kColumns);
}

fs::path data_folder_of(const Session& session) {
    return session.globals.data_dir.empty() ? fs::path{kSystemData}
                                            : fs::absolute(session.globals.data_dir);
}

/// A file, or a name in DIR/backup.
Result<fs::path> find_file(const Session& session, const std::string& word) {
    std::error_code ignored;
    if (fs::exists(word, ignored)) {
        return fs::absolute(word);
    }
    if (const auto found = backup::Shelf{data_folder_of(session)}.find(word)) {
        return found->file;
    }
    return backup::no_such_backup(word);
}

certs::PassphraseSource ca_passphrase_of(const FileArgs& args) {
    return certs::passphrase_source(args.ca_passphrase_file);
}

json::object facts_of(const backup::Unpacked& content, const backup::Checked& checked) {
    const backup::Description& about = content.description;
    std::uint64_t bytes = 0;
    for (const backup::FileEntry& file : content.manifest.files) {
        bytes += file.bytes;
    }
    return {
        {"made_at", format_utc(about.made_at)},
        {"program", about.program},
        {"host", about.host},
        {"encrypted", about.encrypted},
        {"files", content.manifest.files.size()},
        {"bytes", bytes},
        {"messages", about.messages_format != 0},
        {"ca", checked.keys_not_checked ? "keys are encrypted, not compared (--ca-passphrase-file)"
                                        : checked.ca_words}};
}

const std::vector<Column> kFacts{{"MADE", "made_at"},      {"VERSION", "program"},
                                 {"HOST", "host"},         {"ENCRYPTED", "encrypted"},
                                 {"FILES", "files"},       {"BYTES", "bytes"},
                                 {"MESSAGES", "messages"}, {"CA", "ca"}};

Result<Exit> run_verify(Session& session, const FileArgs& args) {
    IOTSKY_TRY(file, find_file(session, args.file));
    IOTSKY_TRY(passphrase, passphrase_for(session, args, file));
    IOTSKY_TRY(scratch, ScratchFolder::make(fs::temp_directory_path()));
    IOTSKY_TRY(content, backup::unpack(file, passphrase.view(), scratch.path()));
    SystemRandom random;
    IOTSKY_TRY(checked, backup::check_unpacked(scratch.path(), file, ca_passphrase_of(args),
                                               std::nullopt, SystemClock{}.wall_now(), random));
    return print_object(session, facts_of(content, checked), kFacts);
}

std::string question_of(const fs::path& data, const backup::Staged& staged) {
    const auto replaced = backup::replaced_by_restore(data, staged);
    return "Put the backup of " + format_utc(staged.content.description.made_at) + " (" +
           staged.content.description.host + ") into " + data.string() +
           (replaced.empty() ? "?" : " in place of " + join(replaced, ", ") + "?");
}

void tell(Session& session, const fs::path& data, const backup::Restored& restored,
          const backup::Checked& checked) {
    std::ostream& out = session.streams.out;
    if (session.globals.json || session.globals.jsonl) {
        out << json::serialize(json::object{{"data", data.string()},
                                            {"before", restored.before.string()},
                                            {"config", restored.config.string()},
                                            {"config_was_in", restored.config_was_in},
                                            {"keys_not_checked", checked.keys_not_checked}})
            << "\n";
        return;
    }
    out << "Restored into " << data.string() << "\n";
    if (!restored.before.empty()) {
        out << "  what was there lies in     " << restored.before.string() << "\n";
    }
    if (!restored.config.empty()) {
        out << "  its configuration          " << restored.config.string() << " (was in "
            << restored.config_was_in << "; compare, and copy what you want)\n";
    }
    if (checked.keys_not_checked) {
        out << "  the CA's keys need the CA's passphrase (ca.passphrase_file) on this machine\n";
    }
    out << "  start it                   iotsky serve --data " << data.string() << "\n";
}

Result<Exit> run_restore(Session& session, const FileArgs& args) {
    ::umask(S_IRWXG | S_IRWXO);
    IOTSKY_TRY(file, find_file(session, args.file));
    const fs::path data = data_folder_of(session);
    IOTSKY_TRY(folder, DataFolder::open(data));
    IOTSKY_CHECK(backup::finish_restore(data));
    IOTSKY_TRY(passphrase, passphrase_for(session, args, file));
    SystemRandom random;
    const WallTime now = SystemClock{}.wall_now();
    IOTSKY_TRY(
        staged,
        backup::stage(data, {file, passphrase.view(), ca_passphrase_of(args), args.as_new_host},
                      now, random));
    const std::string question = question_of(data, staged);
    if (session.globals.dry_run) {
        session.streams.out << question << "\n";
        return Exit::done;
    }
    IOTSKY_TRY(yes, session.confirm(question));
    if (!yes) {
        return Exit::answer_no;
    }
    const backup::Checked checked = staged.checked;
    IOTSKY_TRY(restored, backup::put_in_place(data, std::move(staged), now));
    tell(session, data, restored, checked);
    return Exit::done;
}

void add_file(const Verb<FileArgs>& verb) {
    verb->add_option("FILE", verb.args->file, "A backup, or the name of one in DIR/backup")
        ->required();
    verb->add_option("--passphrase-file", verb.args->passphrase_file,
                     "File whose first line is the backup's passphrase (0600)");
    verb->add_option("--ca-passphrase-file", verb.args->ca_passphrase_file,
                     "The CA's own passphrase, when its keys are encrypted on disk");
}

}  // namespace

void add_backup(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "backup", "Everything that the broker keeps, in one file");
    const auto create = add_verb<CreateArgs>(noun, session, "create",
                                             "Make a backup while the broker runs", run_create);
    create->add_option("--to", create.args->to,
                       "The file; without it the backup stays in DIR/backup");
    create->add_option("--passphrase-file", create.args->passphrase_file,
                       "File whose first line encrypts it (0600)");
    create->add_flag("--i-know-it-is-not-encrypted", create.args->not_encrypted,
                     "Do not encrypt it; the CA's keys are in it");
    add_verb<NoArgs>(noun, session, "list", "Backups in DIR/backup", run_list);
    add_file(add_verb<FileArgs>(noun, session, "verify",
                                "Unpack a backup in a scratch folder and check all of it; needs no "
                                "broker",
                                run_verify));
    const auto restore = add_verb<FileArgs>(
        noun, session, "restore",
        "Put a backup in place; the broker is stopped, and what was there is kept", run_restore);
    add_file(restore);
    restore->add_flag("--as-new-host", restore.args->as_new_host,
                      "Server certificates for this machine's addresses, under the same CA");
}

}  // namespace iotsky::apps::cli
