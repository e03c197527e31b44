#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace iotsky::simulation {

/// One thing that happens. Its numbers are read in whatever state it finds: any part of a script is
/// a script.
struct Action {
    enum class Kind : std::uint8_t {
        connect,  ///< clean or not, with a Will or without; takes over when it is connected
        disconnect,
        drop,     ///< the connection breaks
        violate,  ///< a packet that no rule allows
        subscribe,
        unsubscribe,
        publish,
        release,      ///< PUBREL
        acknowledge,  ///< one of the messages that the client holds
        advance,      ///< time goes by
        crash,
        interrupted,  ///< a QoS 2 message is on its way when the broker dies; sent again after that
    };
    Kind kind{};
    unsigned client = 0;
    std::array<unsigned, 4> n{};
    [[nodiscard]] std::string text() const;
};

using Script = std::vector<Action>;

[[nodiscard]] Script random_script(std::uint64_t seed, std::size_t actions);
/// A line for each action.
[[nodiscard]] std::string text(const Script& script);

}  // namespace iotsky::simulation
