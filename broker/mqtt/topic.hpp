#pragma once

#include <cstddef>
#include <iterator>
#include <optional>
#include <string_view>

#include "broker/mqtt/decode_error.hpp"

/// Topic Names and Topic Filters (section 4.7). Texts are valid UTF-8 of at most 65,535 bytes; any
/// number of levels, no recursion, no allocation. Thread: any (pure).
namespace iotsky::mqtt {

/// What makes `filter` no Topic Filter, if anything: topic_empty [MQTT-4.7.3-1], filter_hash
/// [MQTT-4.7.1-2] or filter_plus [MQTT-4.7.1-3]; the leftmost fault.
[[nodiscard]] std::optional<DecodeError> topic_filter_fault(std::string_view filter) noexcept;

[[nodiscard]] bool is_valid_topic_filter(std::string_view filter) noexcept;

/// Not empty and without '+' and '#' [MQTT-4.7.1-1], [MQTT-4.7.3-1].
[[nodiscard]] bool is_valid_topic_name(std::string_view topic) noexcept;

/// Whether `text` holds '+' or '#' anywhere. A valid Topic Filter without one matches one topic.
[[nodiscard]] bool has_wildcard(std::string_view text) noexcept;

/// Whether a valid Topic Filter matches a valid Topic Name: byte by byte, no normalisation
/// [MQTT-4.7.3-4]; "a/#" matches "a"; '+' matches an empty level; a filter that begins with a
/// wildcard matches no name that begins with '$' [MQTT-4.7.2-1].
/// Cost: O(shorter of both).
[[nodiscard]] bool matches(std::string_view filter, std::string_view topic) noexcept;

/// The levels of a Topic Name or Topic Filter, as a range of views: "/a//b" has "", "a", "", "b".
/// Every text has one level at least; "" has the one empty level.
class Levels {
  public:
    class Iterator {
      public:
        using value_type = std::string_view;
        using difference_type = std::ptrdiff_t;
        using reference = std::string_view;
        using pointer = void;
        using iterator_category = std::input_iterator_tag;  // operator* returns a value
        using iterator_concept = std::forward_iterator_tag;

        Iterator() = default;
        explicit Iterator(std::string_view text) noexcept : rest_(text), more_(true) { cut(); }

        [[nodiscard]] std::string_view operator*() const noexcept {
            return rest_.substr(0, level_bytes_);
        }
        Iterator& operator++() noexcept;
        Iterator operator++(int) noexcept {
            Iterator before = *this;
            ++*this;
            return before;
        }
        /// Whether this is the last level.
        [[nodiscard]] bool last() const noexcept { return level_bytes_ == rest_.size(); }
        friend bool operator==(const Iterator& a, const Iterator& b) noexcept {
            return a.more_ == b.more_ && a.rest_.size() == b.rest_.size();
        }

      private:
        void cut() noexcept;

        std::string_view rest_;  ///< From the current level on.
        std::size_t level_bytes_ = 0;
        bool more_ = false;
    };

    explicit Levels(std::string_view text) noexcept : text_(text) {}
    [[nodiscard]] Iterator begin() const noexcept { return Iterator(text_); }
    [[nodiscard]] Iterator end() const noexcept { return {}; }

  private:
    std::string_view text_;
};

}  // namespace iotsky::mqtt
