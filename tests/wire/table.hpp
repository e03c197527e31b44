#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "tests/wire/packet_macro.hpp"

/// Files of byte exchanges; their language is in README.md.
namespace iotsky::wire {

enum class Op : unsigned char {
    send,           ///< `A> packets`
    send_bytewise,  ///< `A>1 packets`: each byte in a segment of its own.
    expect,         ///< `A< packets`: these come next, in this order.
    expect_any,     ///< `A~ packets`: these come next, in any order.
    expect_close,   ///< `A|`: the broker closes and sends nothing before.
    expect_open,    ///< `A=`: PINGREQ is answered and nothing comes before.
    close,          ///< `A! close`: we close.
    reset,          ///< `A! reset`: we cut the connection (TCP RST).
};

struct Step {
    int line = 0;
    std::string client;
    Op op = Op::send;
    std::vector<Packet> packets;
};

struct Conversation {
    std::string file;
    int line = 0;
    std::string name;
    std::vector<Step> steps;
};

/// Reads a table. `unique` begins the text that stands for '%'; each conversation adds its number.
/// Throws std::invalid_argument with file and line.
[[nodiscard]] std::vector<Conversation> parse_table(std::istream& in, const std::string& file,
                                                    const std::string& unique);

}  // namespace iotsky::wire
