#pragma once

#include <string>
#include <vector>

namespace iotsky::apps::test {

/// What becomes of the n-th step from now (0: the next) of those that change what lies in folders:
/// rename, unlink, rmdir, mkdir, fsync. The program calls ours instead of the system's.
enum class Fate {
    fails,           ///< it alone: EIO
    fails_for_good,  ///< and every later one
    kills            ///< the process ends, as by kill -9
};
class FailingSteps {
  public:
    FailingSteps(int n, Fate fate);
    /// The disk works again.
    ~FailingSteps();
    FailingSteps(const FailingSteps&) = delete;
    FailingSteps& operator=(const FailingSteps&) = delete;
    /// Whether the n-th step has come.
    [[nodiscard]] bool struck() const;
};

/// What fsync was called for since the last of these calls.
[[nodiscard]] std::vector<std::string> take_synced();
/// How often fdatasync was called in this process.
[[nodiscard]] int data_syncs();

}  // namespace iotsky::apps::test
