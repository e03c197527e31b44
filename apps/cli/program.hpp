#pragma once

#include <memory>
#include <string>
#include <vector>

#include "apps/cli/session.hpp"

namespace CLI {
class App;
}

namespace iotsky::apps::cli {

/// The whole command line, with every noun.
[[nodiscard]] std::unique_ptr<CLI::App> make_program(Session& session);

/// Reads the arguments (without the program's name), runs the verb, prints what went wrong. Returns
/// the exit code.
[[nodiscard]] int run_program(const std::vector<std::string>& arguments, Session& session);

/// docs/cli.md, from the program itself.
[[nodiscard]] std::string cli_reference();

/// What the program calls itself, e.g. "0.1.0".
[[nodiscard]] std::string_view version() noexcept;

}  // namespace iotsky::apps::cli
