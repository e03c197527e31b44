#pragma once

namespace iotsky::apps {

/// SIGTERM, SIGINT and SIGHUP of the daemon. From its making on they wait in the kernel, so that
/// one that comes while the program starts or stops is neither lost nor cuts that short; while the
/// program serves, the thread that calls let_through() takes them. Make it before the first other
/// thread, which inherits that they wait. They go on waiting when it is gone: the process ends.
class Signals {
  public:
    Signals() noexcept { hold(); }
    /// From now on they wait. Thread: of let_through().
    void hold() const noexcept;
    /// The calling thread takes them from now on, first those that waited.
    void let_through() const noexcept;
    /// Whether SIGTERM or SIGINT waits.
    [[nodiscard]] bool stop_waits() const noexcept;
};

}  // namespace iotsky::apps
