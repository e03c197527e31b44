// Speaks the tables given as arguments with a broker in this process.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "tests/wire/open_broker.hpp"
#include "tests/wire/suite.hpp"

int main(int argc, char** argv) {
    using namespace iotsky::wire;
    try {
        const OpenBroker broker;
        const auto conversations = load(std::vector<std::string>(argv + 1, argv + argc), "");
        return run_all(conversations, {broker.port()}) == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "wire_test: %s\n", error.what());
        return 2;
    }
}
