#include "provisioning/roster/pseudonyms.hpp"

#include <array>
#include <utility>

#include "base/random.hpp"

namespace iotsky::provisioning {
namespace {

/// Easy to read out and to type, none that pupils call each other.
constexpr std::array<std::string_view, 120> kAnimals{
    "albatross",  "alpaca",    "antelope", "axolotl",  "badger",  "barbet",    "bat",
    "beaver",     "bee",       "bison",    "bittern",  "bobcat",  "bunting",   "buzzard",
    "camel",      "caribou",   "chamois",  "cheetah",  "cicada",  "civet",     "condor",
    "coot",       "cormorant", "cougar",   "crane",    "cricket", "curlew",    "deer",
    "dingo",      "dipper",    "dolphin",  "dormouse", "dove",    "dragonfly", "eagle",
    "egret",      "eider",     "elk",      "emu",      "ermine",  "falcon",    "ferret",
    "finch",      "firefly",   "flamingo", "fox",      "gannet",  "gazelle",   "gecko",
    "gibbon",     "goldfinch", "grebe",    "grouse",   "guanaco", "gull",      "hare",
    "harrier",    "hawk",      "hedgehog", "heron",    "hoopoe",  "hornbill",  "ibex",
    "ibis",       "iguana",    "impala",   "jackdaw",  "jaguar",  "jay",       "kestrel",
    "kingfisher", "kite",      "kiwi",     "koala",    "kudu",    "lapwing",   "lark",
    "lemur",      "leopard",   "linnet",   "lynx",     "macaw",   "magpie",    "manatee",
    "marmot",     "marten",    "meerkat",  "merlin",   "mink",    "mole",      "moth",
    "narwhal",    "newt",      "nightjar", "ocelot",   "okapi",   "oriole",    "osprey",
    "otter",      "owl",       "panda",    "pelican",  "penguin", "petrel",    "pika",
    "plover",     "polecat",   "puffin",   "puma",     "quail",   "quokka",    "raven",
    "robin",      "seal",      "serval",   "sparrow",  "stork",   "swift",     "tapir",
    "wren"};

}  // namespace

Pseudonyms::Pseudonyms(std::uint64_t seed) : order_(kAnimals.begin(), kAnimals.end()) {
    SeededRandom random(seed);
    for (std::size_t i = order_.size(); i > 1; --i) {
        std::swap(order_[i - 1], order_[random.below(i)]);
    }
}

std::string Pseudonyms::next() {
    for (;;) {
        const std::size_t round = position_ / order_.size();
        std::string name{order_[position_ % order_.size()]};
        ++position_;
        if (round > 0) {
            name += std::to_string(round + 1);
        }
        if (taken_.insert(name).second) {
            return name;
        }
    }
}

}  // namespace iotsky::provisioning
