#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "apps/config/locate.hpp"
#include "apps/scratch_folder.hpp"
#include "apps/serve/installation.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;
using provisioning::ChainMode;
using provisioning::ChainOutcome;

constexpr std::size_t kEventBytesMax = 1U << 20U;

struct NoArgs {};
struct RunArgs {
    std::string step;
    std::string event;
    std::string registry;
};

bool is_chain(const std::string& name) {
    const auto chains = provisioning::Chain::chains();
    return std::find(chains.begin(), chains.end(), name) != chains.end();
}

/// Steps are named with "_", as in events; "-" is as good.
std::string step_name(std::string name) {
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

Result<ChainOutcome> run_on(provisioning::Registry& registry, const RunArgs& args,
                            const std::string& event, ChainMode mode) {
    const provisioning::Caller caller = provisioning::Caller::system();
    return is_chain(args.step) ? registry.chain.run_chain(caller, args.step, event, mode)
                               : registry.chain.run_step(caller, step_name(args.step), event, mode);
}

Result<ChainOutcome> run_in_folder(const std::filesystem::path& folder, const RunArgs& args,
                                   const std::string& event, ChainMode mode) {
    const SystemClock clock;
    SystemRandom random;
    const std::vector<std::string> environment;
    IOTSKY_TRY(loaded, load_chosen({{}, folder}, environment));
    IOTSKY_TRY(installation,
               Installation::open(loaded.config, clock, random, config_file_of({{}, folder})));
    IOTSKY_CHECK(installation->registry->start());
    return run_on(*installation->registry, args, event, mode);
}

void print(Session& session, const ChainOutcome& outcome) {
    std::ostream& out = session.streams.out;
    for (const std::string& step : outcome.steps) {
        session.streams.err << "ran " << step << "\n";
    }
    for (const std::string& event : outcome.events) {
        out << event << "\n";
    }
    if (outcome.private_key) {
        out << json::serialize(json::object{{"private_key", outcome.private_key->view()}}) << "\n";
    }
}

Result<Exit> run_chain(Session& session, const RunArgs& args) {
    IOTSKY_TRY(event, read_input(session, args.event, kEventBytesMax));
    if (args.registry.empty()) {
        IOTSKY_TRY(scratch, ScratchFolder::make(std::filesystem::temp_directory_path()));
        IOTSKY_TRY(outcome, run_in_folder(scratch.path(), args, event, ChainMode::scratch));
        print(session, outcome);
        return Exit::done;
    }
    if (!std::filesystem::exists(std::filesystem::path{args.registry} / "registry.db")) {
        return usage_error("There is no registry in " + args.registry + ".",
                           "It is the data folder of a broker.",
                           "Give its folder, or leave --registry out for a scratch one.");
    }
    IOTSKY_TRY(outcome,
               run_in_folder(args.registry, args, event,
                             session.globals.dry_run ? ChainMode::dry_run : ChainMode::real));
    print(session, outcome);
    return Exit::done;
}

/// The same on the registry of a broker that runs.
Result<Exit> run_live(Session& session, const RunArgs& args) {
    IOTSKY_TRY(text, read_input(session, args.event, kEventBytesMax));
    boost::system::error_code fault;
    const json::value event = json::parse(text, fault);
    if (fault) {
        return make_error(Errc::invalid_argument, "E1172", "The event is not JSON.",
                          fault.message() + ".", "An event is a JSON object.");
    }
    IOTSKY_TRY(api, Api::of(session));
    json::object body{{"event", event}, {"mode", session.globals.dry_run ? "dry_run" : "real"}};
    body[is_chain(args.step) ? "chain" : "step"] =
        is_chain(args.step) ? args.step : step_name(args.step);
    IOTSKY_TRY(answer, api.call("POST", target("/chain:run"), body));
    session.streams.out << json::serialize(answer) << "\n";
    return Exit::done;
}

Result<Exit> run_list(Session& session, const NoArgs&) {
    IOTSKY_TRY(scratch, ScratchFolder::make(std::filesystem::temp_directory_path()));
    const SystemClock clock;
    SystemRandom random;
    IOTSKY_TRY(loaded, load_chosen({{}, scratch.path()}, {}));
    IOTSKY_TRY(installation, Installation::open(loaded.config, clock, random));
    json::array rows;
    for (const provisioning::StepInfo& step : installation->registry->chain.steps()) {
        rows.push_back(
            json::object{{"name", step.name}, {"kind", "step"}, {"summary", step.summary}});
    }
    for (const std::string& chain : provisioning::Chain::chains()) {
        rows.push_back(
            json::object{{"name", chain}, {"kind", "chain"}, {"summary", "all steps, or none"}});
    }
    return print_list(session, rows,
                      {{"NAME", "name"}, {"KIND", "kind"}, {"WHAT IT DOES", "summary"}});
}

void add_event_options(const Verb<RunArgs>& verb) {
    verb->add_option("STEP", verb.args->step, "A step, or create-thing for the whole chain")
        ->required();
    verb->add_option("--event", verb.args->event,
                     "JSON file of the event that it answers; - reads it")
        ->required();
}

}  // namespace

void add_chain(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "chain", "The steps of provisioning, each alone or together");
    const auto run = add_verb<RunArgs>(
        noun, session, "run",
        "Run a step on an event without a broker and print the events it emits", run_chain);
    add_event_options(run);
    run->add_option("--registry", run.args->registry,
                    "Data folder of a stopped broker, changed for good without --dry-run; default: "
                    "a scratch one");
    add_event_options(add_verb<RunArgs>(
        noun, session, "live", "The same on the registry of the running broker", run_live));
    add_verb<NoArgs>(noun, session, "list", "All steps and chains", run_list);
}

}  // namespace iotsky::apps::cli
