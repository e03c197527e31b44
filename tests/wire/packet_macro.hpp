#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/mqtt/packet.hpp"

/// The words of the wire tables: `connect(id=%a,clean=0)`, `C000`. See README.md.
namespace iotsky::wire {

/// One word of a table, encoded. `bytes` may be anything: tables hold malformed packets too.
struct Packet {
    std::vector<std::byte> bytes;
    /// Where the Packet Identifier lies, if the word leaves it open.
    std::optional<std::size_t> id_offset;
    /// "p" for `id=$p`; empty for `id=?`, which fits any.
    std::string id_variable;
    std::string word;  ///< As written, for reports.
};

/// Encodes the words of one step, separated by spaces.
/// @param unique  Replaces '%' in texts, so that conversations do not meet.
/// Throws std::invalid_argument that says what is wrong.
[[nodiscard]] std::vector<Packet> parse_packets(std::string_view words, std::string_view unique);

/// A text value: '%' is `unique`, `\xNN` a byte, `{x*N}` N times x.
[[nodiscard]] std::string expand(std::string_view text, std::string_view unique);

}  // namespace iotsky::wire
