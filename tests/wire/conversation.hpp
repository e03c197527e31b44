#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "tests/wire/channel.hpp"
#include "tests/wire/table.hpp"

namespace iotsky::wire {

struct RunOptions {
    std::uint16_t port = 0;
    Transport transport = Transport::tcp;
    std::chrono::milliseconds patience{3000};  ///< For each packet or close that is expected.
};

/// Speaks one conversation with the broker. What it leaves open is ended with DISCONNECT, so that
/// no Will of it reaches the next one.
/// @return  What went otherwise than written, with its line; nullopt if nothing did.
[[nodiscard]] std::optional<std::string> run(const Conversation& conversation,
                                             const RunOptions& options);

}  // namespace iotsky::wire
