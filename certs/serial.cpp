#include "certs/serial.hpp"

#include "base/text.hpp"
#include "certs/hex.hpp"

namespace iotsky::certs {

std::string Serial::hex() const {
    return to_hex(bytes);
}

std::optional<Serial> Serial::parse(std::string_view hex) {
    Serial serial;
    if (!parse_hex(hex, serial.bytes) || serial.bytes[0] == 0) {
        return std::nullopt;
    }
    return serial;
}

Serial new_serial(Random& random) {
    Serial serial;
    // A zero first byte would give a shorter number and so a second text form; 1 draw in 256.
    do {
        random.fill(std::as_writable_bytes(std::span{serial.bytes}));
    } while (serial.bytes[0] == 0);
    return serial;
}

}  // namespace iotsky::certs
