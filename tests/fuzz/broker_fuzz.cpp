// Input: a sequence of what can happen to a broker of one to three threads, as
// tests/simulation/sequence/sequence.hpp reads it. Promises: see there.
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>

#include "base/assert.hpp"
#include "tests/simulation/sequence/sequence.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string fault = iotsky::simulation::play_sequence(std::span{data, size});
    if (!fault.empty()) {
        std::fprintf(stderr, "%s\n", fault.c_str());
    }
    IOTSKY_ASSERT(fault.empty());
    return 0;
}
