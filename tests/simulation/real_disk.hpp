#pragma once

#include "tests/simulation/tables.hpp"
#include "tests/support/message_disk.hpp"

namespace iotsky::simulation {

/// messages.db under a simulated broker.
class RealDisk final : public test::MessageDisk {
  public:
    RealDisk();
    /// The process died: opens what it left. Throws unless that is what `expected` has.
    void reopen(const Tables& expected);
};

}  // namespace iotsky::simulation
