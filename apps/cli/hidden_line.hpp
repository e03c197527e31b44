#pragma once

#include <string>

#include "apps/cli/session.hpp"
#include "base/secret.hpp"

namespace iotsky::apps::cli {

/// Asks for a line that the terminal does not show. A signal that ends the program meanwhile leaves
/// the terminal as it was. Thread: the only one of the process.
[[nodiscard]] SecretString ask_hidden(Session& session, const std::string& question);

}  // namespace iotsky::apps::cli
