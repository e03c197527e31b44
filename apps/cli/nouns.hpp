#pragma once

#include "apps/cli/session.hpp"

namespace CLI {
class App;
}

/// One function a noun: adds its verbs to the command line. Each verb sets Session::action.
namespace iotsky::apps::cli {

void add_class(CLI::App& app, Session& session);
void add_roster(CLI::App& app, Session& session);
void add_student(CLI::App& app, Session& session);
void add_project(CLI::App& app, Session& session);
void add_thing(CLI::App& app, Session& session);
void add_cert(CLI::App& app, Session& session);
void add_ca(CLI::App& app, Session& session);
void add_policy(CLI::App& app, Session& session);
void add_token(CLI::App& app, Session& session);
void add_session(CLI::App& app, Session& session);
void add_retained(CLI::App& app, Session& session);
void add_explain(CLI::App& app, Session& session);
void add_chain(CLI::App& app, Session& session);
void add_bundle(CLI::App& app, Session& session);
void add_events(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_config(CLI::App& app, Session& session);
void add_pub_sub(CLI::App& app, Session& session);
void add_setup(CLI::App& app, Session& session);
void add_serve(CLI::App& app, Session& session);
void add_help(CLI::App& app, Session& session);
void add_completion(CLI::App& app, Session& session);

}  // namespace iotsky::apps::cli
