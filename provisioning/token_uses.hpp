#pragma once

#include <map>

#include "base/clock.hpp"
#include "base/id.hpp"
#include "base/thread.hpp"

namespace iotsky::provisioning {

/// Uses of tokens where nobody may wait for the disk: they are kept here until Registry::maintain()
/// writes them. One entry per token. Synchronised (docs/threading.md).
class TokenUses {
  public:
    /// Thread: any; never blocks.
    void note(const Id& token, WallTime at);
    /// All of them, the latest of each token; from now on there are none.
    [[nodiscard]] std::map<Id, WallTime> take();

  private:
    Mutex mutex_;
    std::map<Id, WallTime> uses_ IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::provisioning
