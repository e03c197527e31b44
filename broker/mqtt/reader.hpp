#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "broker/mqtt/bytes.hpp"
#include "broker/mqtt/decode_error.hpp"
#include "broker/mqtt/utf8.hpp"

namespace iotsky::mqtt {

/// Reads the fields of one packet from front to back. The first fault sticks: later reads give
/// empty values, so a decoder may read several fields and ask once.
class Reader {
  public:
    explicit Reader(Bytes in) noexcept : in_(in) {}

    [[nodiscard]] std::uint8_t u8() noexcept {
        const Bytes field = take(1);
        return field.empty() ? std::uint8_t{0} : std::to_integer<std::uint8_t>(field[0]);
    }
    [[nodiscard]] std::uint16_t u16() noexcept {
        const Bytes field = take(2);
        return field.empty() ? std::uint16_t{0} : load_u16(field);
    }
    /// Never 0 [MQTT-2.3.1-1].
    [[nodiscard]] std::uint16_t packet_id() noexcept {
        const std::uint16_t id = u16();
        if (id == 0) {
            fail(DecodeError::packet_id_zero);
        }
        return id;
    }
    /// A field behind its two bytes of length.
    [[nodiscard]] Bytes binary() noexcept { return take(u16()); }
    /// The same, checked as UTF-8 (section 1.5.3).
    [[nodiscard]] std::string_view text() noexcept {
        const std::string_view field = as_text(binary());
        switch (check_utf8(field)) {
            case Utf8Fault::none:
                break;
            case Utf8Fault::ill_formed:
                fail(DecodeError::text_ill_formed);
                break;
            case Utf8Fault::nul:
                fail(DecodeError::text_nul);
                break;
        }
        return field;
    }
    /// All that is left; the packet ends there.
    [[nodiscard]] Bytes rest() noexcept { return take(in_.size()); }
    [[nodiscard]] bool at_end() const noexcept { return in_.empty(); }

    /// Keeps the first fault only.
    void fail(DecodeError error) noexcept {
        if (!fault_) {
            fault_ = error;
            in_ = {};
        }
    }
    [[nodiscard]] std::optional<DecodeError> fault() const noexcept { return fault_; }

    /// The value, if every read was good and nothing is left over (section 2.2.3: the Remaining
    /// Length fits exactly).
    template <typename T>
    [[nodiscard]] Decoded<T> finish(const T& value) noexcept {
        if (!at_end()) {
            fail(DecodeError::trailing_bytes);
        }
        if (fault_) {
            return *fault_;
        }
        return value;
    }

  private:
    Bytes take(std::size_t n) noexcept {
        if (in_.size() < n) {
            fail(DecodeError::packet_too_short);
            return {};
        }
        const Bytes taken = in_.first(n);
        in_ = in_.subspan(n);
        return taken;
    }

    Bytes in_;
    std::optional<DecodeError> fault_;
};

}  // namespace iotsky::mqtt
