// Speaks the tables given as arguments with a broker in this process, over the transport named
// first.
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/wire/open_broker.hpp"
#include "tests/wire/suite.hpp"

int main(int argc, char** argv) {
    using namespace iotsky::wire;
    try {
        const auto transport = parse_transport(argc > 1 ? argv[1] : "");
        if (!transport) {
            throw std::invalid_argument("name tcp, tls, ws or wss first");
        }
        const OpenBroker broker(*transport);
        const auto conversations = load(std::vector<std::string>(argv + 2, argv + argc), "");
        return run_all(conversations, {broker.port(), *transport}) == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "wire_test: %s\n", error.what());
        return 2;
    }
}
