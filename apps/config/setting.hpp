#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// One row of the configuration table: a key, what it may hold, and the field it fills.
namespace iotsky::apps {

enum class Kind : std::uint8_t {
    text,
    texts,  ///< an array of strings
    path,   ///< a file or folder, relative to the configuration file
    flag,   ///< true | false
    integer,
    size,      ///< bytes: 4096 or "32KiB"
    duration,  ///< "200ms", "5s", "10min", "24h", "7d"
    choice     ///< one of a few words
};
[[nodiscard]] std::string_view to_string(Kind kind) noexcept;

/// integer and size as they are, duration in milliseconds, choice as its word, path as written.
using Value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct Range {
    std::int64_t min = 0;
    std::int64_t max = std::numeric_limits<std::int64_t>::max();
};

/// When a changed value counts.
enum class Takes : std::uint8_t { restart, reload };

template <typename T>
struct Setting {
    std::string_view key;
    Kind kind;
    Range range;                          ///< integer, size (bytes), duration (ms)
    std::vector<std::string_view> words;  ///< choice
    Takes takes;
    std::string_view help;
    std::function<void(T&, const Value&)> set;
    std::function<Value(const T&)> get;
};

namespace detail {

template <typename Field>
struct Codec;

template <>
struct Codec<bool> {
    static bool from(const Value& value) { return std::get<bool>(value); }
    static Value to(bool field) { return field; }
};
template <>
struct Codec<std::string> {
    static std::string from(const Value& value) { return std::get<std::string>(value); }
    static Value to(const std::string& field) { return field; }
};
template <>
struct Codec<std::filesystem::path> {
    static std::filesystem::path from(const Value& value) { return std::get<std::string>(value); }
    static Value to(const std::filesystem::path& field) { return field.string(); }
};
template <>
struct Codec<std::vector<std::string>> {
    static std::vector<std::string> from(const Value& value) {
        return std::get<std::vector<std::string>>(value);
    }
    static Value to(const std::vector<std::string>& field) { return field; }
};
template <typename Field>
requires(std::is_integral_v<Field> && !std::is_same_v<Field, bool>) struct Codec<Field> {
    static Field from(const Value& value) {
        return static_cast<Field>(std::get<std::int64_t>(value));
    }
    static Value to(Field field) { return static_cast<std::int64_t>(field); }
};
template <typename Rep, typename Period>
struct Codec<std::chrono::duration<Rep, Period>> {
    using Field = std::chrono::duration<Rep, Period>;
    static Field from(const Value& value) {
        return std::chrono::duration_cast<Field>(
            std::chrono::milliseconds{std::get<std::int64_t>(value)});
    }
    static Value to(Field field) {
        return std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(field).count()};
    }
};

/// The enumerators are 0, 1, 2 ... in the order of the words.
template <typename Field>
Field enum_from(const Value& value, std::span<const std::string_view> words) {
    const std::string& word = std::get<std::string>(value);
    std::size_t index = 0;
    while (index + 1 < words.size() && words[index] != word) {
        ++index;
    }
    return static_cast<Field>(index);
}

}  // namespace detail

/// A row for the field that `access` names: `[](auto& c) -> auto& { return c.log.level; }`.
template <typename T, typename Access>
Setting<T> setting(std::string_view key, Kind kind, Range range, Takes takes, Access access,
                   std::string_view help) {
    using Codec = detail::Codec<std::remove_cvref_t<decltype(access(std::declval<T&>()))>>;
    return {key,
            kind,
            range,
            {},
            takes,
            help,
            [access](T& target, const Value& value) { access(target) = Codec::from(value); },
            [access](const T& target) { return Codec::to(access(target)); }};
}

/// A row whose value is one of `words`, in the order of the field's enumerators.
template <typename T, typename Access>
Setting<T> choice(std::string_view key, std::vector<std::string_view> words, Takes takes,
                  Access access, std::string_view help) {
    using Field = std::remove_cvref_t<decltype(access(std::declval<T&>()))>;
    return {key,
            Kind::choice,
            {},
            words,
            takes,
            help,
            [access, words](T& target, const Value& value) {
                access(target) = detail::enum_from<Field>(value, words);
            },
            [access, words](const T& target) -> Value {
                return std::string{words[static_cast<std::size_t>(access(target))]};
            }};
}

}  // namespace iotsky::apps
