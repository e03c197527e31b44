#include "apps/cli/program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "apps/cli/backup.hpp"
#include "apps/cli/nouns.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

void add_globals(CLI::App& app, Globals& globals) {
    const std::string group = "Flags of every command";
    app.add_option("--server", globals.server,
                   "The API: unix:PATH, http://HOST:PORT or https://...; else IOTSKY_SERVER")
        ->group(group);
    app.add_option("--token-file", globals.token_file,
                   "File with the token (0600); else IOTSKY_TOKEN_FILE")
        ->group(group);
    app.add_option("--ca-file", globals.ca_file, "CA of an https server (PEM)")->group(group);
    app.add_option("--data", globals.data_dir,
                   "The broker's data folder; finds its API by endpoints.json")
        ->group(group);
    app.add_flag("--json", globals.json, "One JSON object, or one array")->group(group);
    app.add_flag("--jsonl", globals.jsonl, "One JSON object a line")->group(group);
    app.add_flag("-q,--quiet", globals.quiet, "Ids only")->group(group);
    app.add_option("-o,--output", globals.output, "wide: all columns")
        ->check(CLI::IsMember({"wide"}))
        ->group(group);
    app.add_option("--columns", globals.columns, "These columns, e.g. path,board")
        ->delimiter(',')
        ->group(group);
    app.add_flag("--yes", globals.yes, "Answer questions with yes")->group(group);
    app.add_flag("--dry-run", globals.dry_run, "Say what would happen, change nothing")
        ->group(group);
}

std::string command_path(const CLI::App* app) {
    std::string path;
    for (; app != nullptr; app = app->get_parent()) {
        path = app->get_name() + (path.empty() ? "" : " " + path);
    }
    return path;
}

/// The innermost command that the arguments named before they went wrong.
const CLI::App* deepest(const CLI::App& app) {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
    }
    return at;
}

std::vector<std::string> names_below(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(child->get_name());
    }
    for (const CLI::App* at = &app; at != nullptr; at = at->get_parent()) {
        for (const CLI::Option* option : at->get_options()) {
            for (const std::string& name : option->get_lnames()) {
                names.push_back("--" + name);
            }
        }
    }
    return names;
}

/// The first argument that the command cannot place.
std::string stray_word(const std::vector<std::string>& arguments, const CLI::App& program) {
    const std::vector<std::string> stray = program.remaining(true);
    if (!stray.empty()) {
        return stray.front();
    }
    // CLI11 stops at an unknown verb of a noun without keeping it.
    const CLI::App* at = &program;
    for (const std::string& argument : arguments) {
        if (argument.starts_with("-")) {
            continue;
        }
        const auto known = names_below(*at);
        if (std::find(known.begin(), known.end(), argument) == known.end()) {
            return argument;
        }
        at = at->get_subcommand(argument);
        if (at->get_subcommands([](const CLI::App*) { return true; }).empty()) {
            return {};
        }
    }
    return {};
}

Error explain_usage(const CLI::ParseError& fault, const CLI::App& program,
                    const std::vector<std::string>& arguments) {
    const CLI::App* at = deepest(program);
    std::string how = command_path(at) + " --help";
    if (const std::string word = stray_word(arguments, program); !word.empty()) {
        if (const std::string near = nearest(word, names_below(*at)); !near.empty()) {
            how = "Did you mean \"" + near + "\"? " + how;
        }
        return usage_error(
            "\"" + escape(word, 80) + "\" does not belong to \"" + command_path(at) + "\".",
            "It is no command or flag here.", how);
    }
    return usage_error(
        "The command line of \"" + command_path(at) + "\" is not complete or not right.",
        escape(fault.what(), 400), how);
}

int run_action(Session& session) {
    Result<Exit> result = session.action ? session.action(session) : Exit::done;
    session.streams.out.flush();
    if (!result) {
        const Error error = std::move(result).error();
        session.print(error);
        return static_cast<int>(exit_for(error));
    }
    return static_cast<int>(*result);
}

void describe(std::string& out, const CLI::App& app, const std::string& path) {
    const auto children = app.get_subcommands([](const CLI::App*) { return true; });
    if (!path.empty() && children.empty()) {
        std::string usage = "iotsky " + path;
        std::string rows;
        for (const CLI::Option* option : app.get_options()) {
            if (option->get_name() == "--help") {
                continue;
            }
            const std::string name = option->get_name(false, true);
            if (option->get_positional()) {
                usage += option->get_required() ? " " + name : " [" + name + "]";
            }
            const std::string help = option->get_description();
            if (!option->get_positional() || !help.empty()) {
                rows += "| `" + name + "` | " + help + (option->get_required() ? " (needed)" : "") +
                        " |\n";
            }
        }
        std::replace(rows.begin(), rows.end(), '\t', ' ');
        out += "\n### `" + usage + "`\n\n" + app.get_description() + ".\n";
        if (!rows.empty()) {
            out += "\n| option | meaning |\n| --- | --- |\n" + rows;
        }
        return;
    }
    for (const CLI::App* child : children) {
        if (!child->get_subcommands([](const CLI::App*) { return true; }).empty()) {
            out += "\n## " + child->get_name() + "\n\n" + child->get_description() + ".\n";
        }
        describe(out, *child, path.empty() ? child->get_name() : path + " " + child->get_name());
    }
}

constexpr std::string_view kIntroduction = R"(# Command line

This page is made by `iotsky help --reference` from the program; a test keeps it current.

`iotsky <noun> <verb> [object] [flags]`. `iotsky serve` is the broker; all other verbs but `setup`, `config`, `chain`,
`backup verify`, `backup restore`, `help` and `version` talk to its API (docs/http-api.md): on the socket that `--data DIR` or `/run/iotsky/admin.sock`
leads to, or where `--server` and `--token-file` (`IOTSKY_SERVER`, `IOTSKY_TOKEN_FILE`) say. A token is never taken from
the command line. Objects are paths such as `7b/otter/weather`; ids and prefixes that only one thing has work, too.

Answers are tables on standard output, messages go to standard error. Times are local on a terminal, RFC 3339 UTC in
JSON. Questions are asked on a terminal only; otherwise a command that would ask ends with code 2 and names the flag.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | failed |
| 2 | wrong usage, or a value that is refused |
| 3 | not found |
| 4 | refused: rights, authentication |
| 5 | conflict: exists already, changed meanwhile, a limit |
| 6 | no broker answers |
| 7 | a part of bulk work was done |
| 8 | checked, and the answer is "no" (`explain`, `config check`, `policy check`, the self-test of `setup`) |
| 130 | interrupted |

## Flags of every command

| option | meaning |
| --- | --- |
)";

}  // namespace

std::string_view version() noexcept {
    return IOTSKY_VERSION;
}

std::unique_ptr<CLI::App> make_program(Session& session) {
    auto app =
        std::make_unique<CLI::App>("MQTT broker with built-in device provisioning", "iotsky");
    app->require_subcommand(1);
    app->fallthrough();
    app->option_defaults()->always_capture_default(false);
    add_globals(*app, session.globals);
    add_serve(*app, session);
    add_setup(*app, session);
    add_status(*app, session);
    add_class(*app, session);
    add_roster(*app, session);
    add_student(*app, session);
    add_project(*app, session);
    add_thing(*app, session);
    add_cert(*app, session);
    add_bundle(*app, session);
    add_ca(*app, session);
    add_policy(*app, session);
    add_token(*app, session);
    add_explain(*app, session);
    add_session(*app, session);
    add_retained(*app, session);
    add_events(*app, session);
    add_backup(*app, session);
    add_chain(*app, session);
    add_pub_sub(*app, session);
    add_config(*app, session);
    add_help(*app, session);
    add_completion(*app, session);
    return app;
}

int run_program(const std::vector<std::string>& arguments, Session& session) {
    const std::unique_ptr<CLI::App> app = make_program(session);
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    try {
        app->parse(reversed);
    } catch (const CLI::CallForHelp& help) {
        session.streams.out << app->help();
        return 0;
    } catch (const CLI::ParseError& fault) {
        session.print(explain_usage(fault, *app, arguments));
        return static_cast<int>(Exit::usage);
    }
    return run_action(session);
}

std::string cli_reference() {
    Streams streams{std::cin, std::cout, std::cerr};
    Session session{streams, [](const char*) { return nullptr; }};
    const auto app = make_program(session);
    std::string out{kIntroduction};
    for (const CLI::Option* option : app->get_options()) {
        if (option->get_name() != "--help") {
            out +=
                "| `" + option->get_name(false, true) + "` | " + option->get_description() + " |\n";
        }
    }
    describe(out, *app, "");
    return out;
}

}  // namespace iotsky::apps::cli
