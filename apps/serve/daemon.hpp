#pragma once

#include <iosfwd>

#include "apps/config/locate.hpp"
#include "apps/serve/signals.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// What `iotsky serve` was told.
struct ServeOptions {
    ConfigChoice choice;
    Loaded loaded;                ///< by that choice, and keeping the rules
    std::vector<Error> warnings;  ///< of the rules
};

/// Runs the broker until SIGTERM or SIGINT: registry, CA, io threads, HTTP endpoint. Prints the
/// banner and then the line "ready" to `out`, unless such a signal came while it started. SIGHUP
/// reloads the configuration. Everything that it opened is closed when it returns; those signals
/// are held from then on. Errors: what kept it from being ready.
[[nodiscard]] Result<void> run_daemon(ServeOptions options, const Signals& signals,
                                      std::ostream& out);

}  // namespace iotsky::apps
