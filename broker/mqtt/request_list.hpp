#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "broker/mqtt/bytes.hpp"

namespace iotsky::mqtt {

/// Quality of Service (section 4.3). 3 is not a level and never gets past the decoder.
enum class Qos : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

/// One entry of a SUBSCRIBE: a valid Topic Filter as the client wrote it and the QoS asked for.
struct SubscribeRequest {
    std::string_view filter;
    Qos qos = Qos::at_most_once;
    friend bool operator==(const SubscribeRequest&, const SubscribeRequest&) = default;
};

/// Reads the entry at the front of `at`; `bytes` is its whole length.
struct SubscribeEntry {
    using Value = SubscribeRequest;
    [[nodiscard]] static Value read(Bytes at) noexcept {
        const std::size_t length = load_u16(at);
        return {as_text(at.subspan(2, length)), static_cast<Qos>(at[2 + length])};
    }
    [[nodiscard]] static std::size_t bytes(Bytes at) noexcept { return load_u16(at) + 3U; }
};

struct UnsubscribeEntry {
    using Value = std::string_view;
    [[nodiscard]] static Value read(Bytes at) noexcept {
        return as_text(at.subspan(2, load_u16(at)));
    }
    [[nodiscard]] static std::size_t bytes(Bytes at) noexcept { return load_u16(at) + 2U; }
};

/// The entries of a SUBSCRIBE or UNSUBSCRIBE, read where they lie: a sized forward range that
/// allocates nothing. Only the decoder makes one, after it has checked every entry, so iterating
/// cannot fail. Cost: size() and each step are O(1).
template <typename Entry>
class RequestList {
  public:
    using value_type = typename Entry::Value;

    class Iterator {
      public:
        using value_type = typename Entry::Value;
        using difference_type = std::ptrdiff_t;
        using reference = value_type;
        using pointer = void;
        using iterator_category = std::input_iterator_tag;  // operator* returns a value
        using iterator_concept = std::forward_iterator_tag;

        Iterator() = default;
        explicit Iterator(Bytes rest) noexcept : rest_(rest) {}
        [[nodiscard]] value_type operator*() const noexcept { return Entry::read(rest_); }
        Iterator& operator++() noexcept {
            rest_ = rest_.subspan(Entry::bytes(rest_));
            return *this;
        }
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++*this;
            return before;
        }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
            return a.rest_.size() == b.rest_.size();  // both end where the payload ends
        }

      private:
        Bytes rest_;
    };

    RequestList() = default;
    /// `payload` holds exactly `count` checked entries.
    RequestList(Bytes payload, std::size_t count) noexcept : payload_(payload), count_(count) {}

    [[nodiscard]] Iterator begin() const noexcept { return Iterator(payload_); }
    [[nodiscard]] Iterator end() const noexcept { return Iterator(payload_.last(0)); }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }
    [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
    /// The entries as they travelled.
    [[nodiscard]] Bytes payload() const noexcept { return payload_; }

  private:
    Bytes payload_;
    std::size_t count_ = 0;
};

using SubscribeRequests = RequestList<SubscribeEntry>;
using UnsubscribeFilters = RequestList<UnsubscribeEntry>;

}  // namespace iotsky::mqtt
