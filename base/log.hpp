#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace iotsky::log {

enum class Level : unsigned char { debug, info, warn, error };
enum class Format : unsigned char { logfmt, json };

struct Options {
    Level level = Level::info;
    Format format = Format::logfmt;
    std::size_t queue_lines_max =
        8192;  ///< Lines waiting for the writer; beyond it the oldest are dropped.
};

/// One `key=value` of a line. Text values are escaped and quoted when written: a peer's topic is
/// safe here.
struct Field {
    Field(std::string_view k, std::string_view v) : key(k), value(v) {}
    Field(std::string_view k, const char* v) : key(k), value(v) {}
    Field(std::string_view k, const std::string& v) : key(k), value(v) {}
    template <std::integral T>
    Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}

    std::string_view key;
    std::string value;
};

/// Starts the writer thread; lines go to standard error. Before it, and after `stop`, lines are
/// written directly.
void start(const Options& options);
/// Changes what is written from now on, and how. Thread: any.
void configure(Level level, Format format) noexcept;
/// Writes what waits and ends the writer.
void stop();
[[nodiscard]] bool enabled(Level level) noexcept;
/// Thread: any; takes effect with the next line.
void set_level(Level level) noexcept;

/// One event, one line: `ts level code "message" key=value ...`. `code` may be empty ("-" is
/// written). Thread: any. Never waits for the disk.
void write(Level level, std::string_view code, std::string_view message,
           std::initializer_list<Field> fields = {});

inline void debug(std::string_view code, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
    if (enabled(Level::debug)) {
        write(Level::debug, code, message, fields);
    }
}
inline void info(std::string_view code, std::string_view message,
                 std::initializer_list<Field> fields = {}) {
    write(Level::info, code, message, fields);
}
inline void warn(std::string_view code, std::string_view message,
                 std::initializer_list<Field> fields = {}) {
    write(Level::warn, code, message, fields);
}
inline void error(std::string_view code, std::string_view message,
                  std::initializer_list<Field> fields = {}) {
    write(Level::error, code, message, fields);
}

}  // namespace iotsky::log
