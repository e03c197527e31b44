#include <cstdlib>
#include <iostream>

#include "apps/cli/nouns.hpp"
#include "apps/cli/verb.hpp"
#include "apps/config/rules.hpp"
#include "apps/serve/daemon.hpp"

namespace iotsky::apps::cli {
namespace {

struct Args {
    std::string config;
    std::string log_level;
    std::string log_format;
};

Result<Exit> run(Session& session, const Args& args) {
    const Signals signals;
    // A flag wins over the file; as a variable it still does when the configuration is read again.
    const std::pair<const char*, const std::string*> flags[] = {
        {"IOTSKY_LOG__LEVEL", &args.log_level}, {"IOTSKY_LOG__FORMAT", &args.log_format}};
    for (const auto& [name, value] : flags) {
        if (!value->empty()) {
            ::setenv(name, value->c_str(), 1);  // NOLINT(concurrency-mt-unsafe): before any thread
        }
    }
    const std::vector<std::string> environment = process_environment();
    ServeOptions options;
    options.choice = {args.config, session.globals.data_dir};
    IOTSKY_TRY(loaded, load_chosen(options.choice, environment));
    options.loaded = std::move(loaded);
    IOTSKY_TRY(warnings, check_rules(options.loaded));
    options.warnings = std::move(warnings);
    IOTSKY_CHECK(run_daemon(std::move(options), signals, session.streams.out));
    return Exit::done;
}

}  // namespace

void add_serve(CLI::App& app, Session& session) {
    const auto verb =
        add_verb<Args>(app, session, "serve", "Be the broker; needs nothing but --data DIR", run);
    verb->add_option("--config", verb.args->config,
                     "Configuration file; default: DIR/iotsky.toml when it exists");
    verb->add_option("--log-level", verb.args->log_level)
        ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
    verb->add_option("--log-format", verb.args->log_format)
        ->check(CLI::IsMember({"logfmt", "json"}));
}

}  // namespace iotsky::apps::cli
