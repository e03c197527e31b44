#include "tests/simulation/real_disk.hpp"

#include <stdexcept>

#include "tests/support/state_dump.hpp"

namespace iotsky::simulation {

RealDisk::RealDisk() {
    (void)db().find_orphans().value();
}

void RealDisk::reopen(const Tables& expected) {
    open();
    (void)db().find_orphans().value();
    if (test::dump_of(*this) != test::dump_of(expected)) {
        throw std::logic_error("messages.db differs from what the records say:\n" +
                               test::dump_of(*this) + "instead of\n" + test::dump_of(expected));
    }
}

}  // namespace iotsky::simulation
