#pragma once

#include <iosfwd>

#include "apps/config/locate.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// What `iotsky serve` was told.
struct ServeOptions {
    ConfigChoice choice;
    Loaded loaded;                ///< by that choice, and keeping the rules
    std::vector<Error> warnings;  ///< of the rules
};

/// Runs the broker until SIGTERM or SIGINT: registry, CA, io threads, HTTP endpoint. Prints the
/// banner and then the line "ready" to `out`. SIGHUP reloads the configuration. Everything that it
/// opened is closed when it returns. Errors: what kept it from being ready.
[[nodiscard]] Result<void> run_daemon(ServeOptions options, std::ostream& out);

}  // namespace iotsky::apps
