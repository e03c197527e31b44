#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "apps/cli/session.hpp"

namespace iotsky::apps::cli {

/// A verb on the command line and the values that its options fill.
template <typename Args>
struct Verb {
    CLI::App* app;
    std::shared_ptr<Args> args;

    CLI::App* operator->() const noexcept { return app; }
};

/// Adds `name` below `parent`; when the command line names it, `run` becomes the session's action.
template <typename Args>
Verb<Args> add_verb(CLI::App& parent, Session& session, const std::string& name,
                    const std::string& help, Result<Exit> (*run)(Session&, const Args&)) {
    Verb<Args> verb{parent.add_subcommand(name, help), std::make_shared<Args>()};
    verb.app->callback([&session, args = verb.args, run] {
        session.action = [args, run](Session& at_run) { return run(at_run, *args); };
    });
    return verb;
}

/// A noun: needs one of its verbs.
inline CLI::App& add_noun(CLI::App& app, const std::string& name, const std::string& help) {
    CLI::App* noun = app.add_subcommand(name, help);
    noun->require_subcommand(1);
    return *noun;
}

}  // namespace iotsky::apps::cli
