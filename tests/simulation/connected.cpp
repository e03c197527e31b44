#include <doctest/doctest.h>

#include <utility>

#include "tests/simulation/world.hpp"

namespace iotsky::simulation {

Client& connected(World& world, ClientOptions options, const std::string& listener) {
    Client& client = world.add(std::move(options));
    world.connect(client, listener);
    REQUIRE(world.settle());
    return client;
}

}  // namespace iotsky::simulation
