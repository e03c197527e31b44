#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "apps/config/locate.hpp"
#include "apps/config/rules.hpp"
#include "apps/config/show.hpp"
#include "apps/serve/check_files.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

struct NoArgs {};
struct FileArgs {
    std::string file;
};

Result<Loaded> load(const Session& session, const FileArgs& args) {
    const std::vector<std::string> environment = process_environment();
    return load_chosen({args.file, session.globals.data_dir}, environment);
}

Exit print_no(Session& session, const Error& error) {
    session.print(error);
    return Exit::answer_no;
}

Result<Exit> run_check(Session& session, const FileArgs& args) {
    const auto loaded = load(session, args);
    if (!loaded) {
        return print_no(session, loaded.error());
    }
    const auto warnings = check_rules(*loaded);
    if (!warnings) {
        return print_no(session, warnings.error());
    }
    if (const auto opened = check_files(*loaded); !opened) {
        return print_no(session, opened.error());
    }
    for (const Error& warning : *warnings) {
        session.print(warning);
    }
    if (!session.globals.quiet) {
        const std::filesystem::path file = config_file_of({args.file, session.globals.data_dir});
        session.streams.out << (file.empty() ? "the defaults" : file.string()) << ": in order\n";
    }
    return Exit::done;
}

Result<Exit> run_show(Session& session, const FileArgs& args) {
    IOTSKY_TRY(loaded, load(session, args));
    session.streams.out << show_config(loaded.config);
    return Exit::done;
}

Result<Exit> run_origin(Session& session, const FileArgs& args) {
    IOTSKY_TRY(loaded, load(session, args));
    session.streams.out << show_origins(loaded);
    return Exit::done;
}

Result<Exit> run_docs(Session& session, const NoArgs&) {
    session.streams.out << config_reference();
    return Exit::done;
}

Result<Exit> run_reload(Session& session, const NoArgs&) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(answer, api.call("POST", target("/config:reload"), json::object{}));
    return print_object(session, answer,
                        {{"CHANGED", "changed"}, {"NEEDS RESTART", "needs_restart"}});
}

void add_file(const Verb<FileArgs>& verb) {
    verb->add_option("--config", verb.args->file,
                     "The file; default: what `iotsky serve` would take");
}

}  // namespace

void add_config(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "config", "The configuration (docs/config.md)");
    add_file(add_verb<FileArgs>(
        noun, session, "check",
        "Every problem with its position, also in the files that it names; exit 8 "
        "when there is one",
        run_check));
    add_file(add_verb<FileArgs>(noun, session, "show", "The values in force, as TOML", run_show));
    add_file(add_verb<FileArgs>(noun, session, "origin", "Where each value came from", run_origin));
    add_verb<NoArgs>(noun, session, "docs", "The reference of all keys (Markdown)", run_docs);
    add_verb<NoArgs>(noun, session, "reload", "Let the broker take what can change while it runs",
                     run_reload);
}

}  // namespace iotsky::apps::cli
