#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/program.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

struct BashArgs {};
struct NamesArgs {
    std::string kind;
};

/// Words that may follow a command: its verbs and flags.
std::string words_of(const CLI::App& app) {
    std::string words;
    for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
        words += " " + child->get_name();
    }
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            words += " --" + name;
        }
    }
    return words;
}

void add_cases(std::string& out, const CLI::App& app, const std::string& path) {
    out += "    \"" + path + "\") words=\"" + words_of(app) + "\" ;;\n";
    for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; })) {
        add_cases(out, *child, path.empty() ? child->get_name() : path + " " + child->get_name());
    }
}

constexpr std::string_view kBefore =
    R"(# bash completion of iotsky; use: source <(iotsky completion bash)
_iotsky() {
  local current=${COMP_WORDS[COMP_CWORD]} command="" word words names=""
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) case $command in "" | [a-z]*) command="${command:+$command }$word" ;; esac ;; esac
  done
  # Objects are not part of the command: at most two words are.
  command=$(echo "$command" | cut -d' ' -f1-2)
  case $command in
)";

constexpr std::string_view kAfter = R"(    *) words="" ;;
  esac
  case $command in
    thing\ * | explain | "bundle make" | "cert issue" | "cert revoke" | "cert renew")
      names=$(timeout 0.2 iotsky completion names things 2>/dev/null) ;;
    class\ * | roster\ * | "student list" | "project list")
      names=$(timeout 0.2 iotsky completion names classes 2>/dev/null) ;;
    policy\ *) names=$(timeout 0.2 iotsky completion names policies 2>/dev/null) ;;
  esac
  COMPREPLY=($(compgen -W "$words $names" -- "$current"))
  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _iotsky iotsky
)";

Result<Exit> run_bash(Session& session, const BashArgs&) {
    std::string cases;
    Session unused{session.streams, [](const char*) { return nullptr; }};
    add_cases(cases, *make_program(unused), "");
    session.streams.out << kBefore << cases << kAfter;
    return Exit::done;
}

/// Silent when the broker is not there: a completion must not print errors into a command line.
Result<Exit> run_names(Session& session, const NamesArgs& args) {
    const auto api = Api::of(session);
    if (!api) {
        return exit_for(api.error());
    }
    const auto items = api->list("/" + args.kind);
    if (!items) {
        return exit_for(items.error());
    }
    for (const boost::json::value& item : *items) {
        session.streams.out << text_at(item, args.kind == "things" ? "path" : "name") << "\n";
    }
    return Exit::done;
}

}  // namespace

void add_completion(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "completion", "Completion for shells");
    add_verb<BashArgs>(noun, session, "bash", "Use: source <(iotsky completion bash)", run_bash);
    const auto names =
        add_verb<NamesArgs>(noun, session, "names", "Names of objects, for the scripts", run_names);
    names->add_option("KIND", names.args->kind)
        ->required()
        ->check(CLI::IsMember({"things", "classes", "policies"}));
}

}  // namespace iotsky::apps::cli
