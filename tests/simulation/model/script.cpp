#include "tests/simulation/model/script.hpp"

#include <utility>

namespace iotsky::simulation {
namespace {

struct Weight {
    Action::Kind kind;
    const char* name;
    unsigned weight;
};

// In the order of Kind.
constexpr std::array<Weight, 12> kKinds{{
    {Action::Kind::connect, "connect", 20},
    {Action::Kind::disconnect, "disconnect", 3},
    {Action::Kind::drop, "drop", 5},
    {Action::Kind::violate, "violate", 1},
    {Action::Kind::subscribe, "subscribe", 12},
    {Action::Kind::unsubscribe, "unsubscribe", 3},
    {Action::Kind::publish, "publish", 32},
    {Action::Kind::release, "release", 8},
    {Action::Kind::acknowledge, "acknowledge", 30},
    {Action::Kind::advance, "advance", 2},
    {Action::Kind::crash, "crash", 1},
    {Action::Kind::interrupted, "interrupted", 6},
}};

constexpr unsigned kClients = 4;
constexpr unsigned kNumbers = 5040;  // divisible by what numbers are read with

}  // namespace

std::string Action::text() const {
    std::string out = kKinds[static_cast<std::size_t>(kind)].name;
    out += " client=" + std::string(1, static_cast<char>('a' + client)) + " n=";
    for (const unsigned number : n) {
        out += std::to_string(number) + " ";
    }
    return out;
}

Script random_script(std::uint64_t seed, std::size_t actions) {
    SeededRandom random(seed);
    const auto below = [&](unsigned bound) { return static_cast<unsigned>(random.below(bound)); };
    unsigned total = 0;
    for (const Weight& kind : kKinds) {
        total += kind.weight;
    }
    Script script(actions);
    for (Action& action : script) {
        unsigned at = below(total);
        const Weight* kind = kKinds.data();
        for (; at >= kind->weight; ++kind) {
            at -= kind->weight;
        }
        action.kind = kind->kind;
        action.client = below(kClients);
        for (unsigned& number : action.n) {
            number = below(kNumbers);
        }
    }
    return script;
}

std::string text(const Script& script) {
    std::string out;
    for (const Action& action : script) {
        out += action.text() + "\n";
    }
    return out;
}

}  // namespace iotsky::simulation
