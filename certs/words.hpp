#pragma once

#include <array>
#include <string_view>

namespace iotsky::certs {

/// One word for each byte: short, concrete, told apart by ear. The order must never change, or a
/// fingerprint that a class wrote down would read differently.
// clang-format off
inline constexpr std::array<std::string_view, 256> kWords{
    "acorn", "adobe", "album", "almond", "alpine", "amber", "anchor", "anvil", "apple", "april",
    "arbor", "arctic", "arena", "arrow", "aspen", "atlas", "autumn", "avocado", "badge", "bagel",
    "bamboo", "banjo", "barley", "basil", "basket", "beacon", "beaver", "berry", "bicycle",
    "birch", "bison", "blanket", "blossom", "bobcat", "bonfire", "border", "bottle", "bridge",
    "bronze", "brush", "bubble", "bucket", "butter", "button", "cabin", "cactus", "camel",
    "candle", "canyon", "carbon", "carpet", "castle", "cedar", "cello", "chalk", "cherry", "chess",
    "chimney", "circus", "citrus", "clover", "cobalt", "cocoa", "cocoon", "comet", "copper",
    "coral", "cotton", "cradle", "crater", "cricket", "crystal", "daisy", "dance", "delta",
    "denim", "desert", "diamond", "dolphin", "domino", "donkey", "dragon", "drum", "eagle",
    "earth", "easel", "echo", "eclipse", "ember", "engine", "falcon", "feather", "fern", "fiddle",
    "finch", "fjord", "flame", "flute", "forest", "fossil", "fox", "galaxy", "garden", "garlic",
    "gazelle", "geyser", "ginger", "giraffe", "glacier", "globe", "gold", "grape", "gravel",
    "guitar", "hammer", "hamster", "harbor", "harp", "hazel", "heron", "hickory", "honey",
    "horizon", "hornet", "igloo", "indigo", "iris", "island", "ivory", "jacket", "jaguar",
    "jasmine", "jelly", "jungle", "juniper", "kayak", "kernel", "kettle", "kitten", "koala",
    "ladder", "lagoon", "lamp", "lantern", "laurel", "lemon", "lentil", "lettuce", "lilac",
    "lizard", "lobster", "lotus", "lunar", "magnet", "mango", "maple", "marble", "meadow", "melon",
    "meteor", "mirror", "mitten", "monsoon", "mosaic", "muffin", "nectar", "needle", "nickel",
    "nutmeg", "oasis", "ocean", "olive", "onion", "opal", "orange", "orbit", "orchid", "otter",
    "oyster", "paddle", "panda", "paper", "parrot", "pebble", "pencil", "penguin", "pepper",
    "piano", "picnic", "pigeon", "pillow", "pine", "planet", "plum", "pocket", "polar", "poppy",
    "prairie", "pumpkin", "puzzle", "quartz", "quilt", "rabbit", "radish", "raven", "rhubarb",
    "ribbon", "river", "robin", "rocket", "ruby", "saddle", "saffron", "salad", "salmon", "sandal",
    "satin", "seven", "shadow", "silver", "sketch", "sparrow", "spider", "spruce", "squid",
    "starfish", "stone", "summer", "sunset", "tango", "temple", "thunder", "tiger", "timber",
    "tomato", "topaz", "trumpet", "tulip", "tunnel", "turtle", "umbrella", "valley", "vanilla",
    "velvet", "violet", "waffle", "walnut", "whistle", "willow", "window", "winter", "wombat",
    "yellow", "yogurt", "zebra", "zephyr",
};
// clang-format on

}  // namespace iotsky::certs
