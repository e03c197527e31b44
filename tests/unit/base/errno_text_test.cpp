#include "base/errno_text.hpp"

#include <doctest/doctest.h>

#include <cerrno>

TEST_SUITE("base.errno_text") {
    TEST_CASE("an errno is told in the system's words") {
        CHECK(iotsky::errno_text(ENOENT) == "No such file or directory");
        CHECK(iotsky::errno_text(ENOSPC) == "No space left on device");
    }
}
