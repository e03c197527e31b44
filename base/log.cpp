#include "base/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "base/assert.hpp"
#include "base/clock.hpp"
#include "base/text.hpp"

namespace iotsky {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
    log::stop();
    std::fprintf(stderr, "iotsky: internal fault: %s at %s:%d\n", expression, file, line);
    std::abort();
}

namespace log {
namespace {

struct State {
    std::atomic<Level> level{Level::info};
    std::atomic<Format> format{Format::logfmt};
    std::shared_ptr<spdlog::logger> logger;
    std::atomic<spdlog::logger*> active{nullptr};
};

State& state() {
    static State instance;
    return instance;
}

constexpr std::array<std::string_view, 4> kLevelNames{"debug", "info", "warn", "error"};

bool needs_quotes(std::string_view value) {
    return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
               return c == ' ' || c == '=' || c == '"' || c == '\\' ||
                      static_cast<unsigned char>(c) < 0x21;
           });
}

std::string logfmt_line(Level level, std::string_view code, std::string_view message,
                        std::initializer_list<Field> fields) {
    std::string line = format_utc(std::chrono::system_clock::now(), true);
    line += ' ';
    line += kLevelNames[static_cast<std::size_t>(level)];
    line += ' ';
    line += code.empty() ? "-" : code;
    line += " \"";
    line += escape(message);
    line += '"';
    for (const Field& field : fields) {
        const std::string value = escape(field.value);
        line += ' ';
        line += field.key;
        line += '=';
        line += needs_quotes(value) ? '"' + value + '"' : value;
    }
    return line;
}

std::string json_line(Level level, std::string_view code, std::string_view message,
                      std::initializer_list<Field> fields) {
    // escape() leaves no quote, backslash or control character but its own "\x", which JSON lacks.
    const auto quoted = [](std::string_view text) {
        std::string out = "\"";
        for (const char c : escape(text)) {
            out += c == '\\' ? std::string{"\\\\"} : std::string{c};
        }
        return out + '"';
    };
    std::string line = "{\"ts\":\"" + format_utc(std::chrono::system_clock::now(), true) +
                       "\",\"level\":\"" +
                       std::string{kLevelNames[static_cast<std::size_t>(level)]} +
                       "\",\"code\":" + quoted(code) + ",\"msg\":" + quoted(message);
    for (const Field& field : fields) {
        line += ",\"" + std::string{field.key} + "\":" + quoted(field.value);
    }
    return line + "}";
}

}  // namespace

void start(const Options& options) {
    State& s = state();
    s.level = options.level;
    s.format = options.format;
    spdlog::init_thread_pool(options.queue_lines_max, 1);
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    s.logger =
        std::make_shared<spdlog::async_logger>("iotsky", std::move(sink), spdlog::thread_pool(),
                                               spdlog::async_overflow_policy::overrun_oldest);
    s.logger->set_pattern("%v");
    s.logger->set_level(spdlog::level::trace);
    s.logger->flush_on(spdlog::level::warn);
    s.active = s.logger.get();
}

void configure(Level level, Format format) noexcept {
    state().level = level;
    state().format = format;
}

void stop() {
    State& s = state();
    if (s.active.exchange(nullptr) != nullptr) {
        s.logger->flush();
        spdlog::shutdown();
    }
}

bool enabled(Level level) noexcept {
    return level >= state().level.load(std::memory_order_relaxed);
}

void set_level(Level level) noexcept {
    state().level = level;
}

void write(Level level, std::string_view code, std::string_view message,
           std::initializer_list<Field> fields) {
    if (!enabled(level)) {
        return;
    }
    State& s = state();
    const std::string line = s.format == Format::json ? json_line(level, code, message, fields)
                                                      : logfmt_line(level, code, message, fields);
    if (spdlog::logger* logger = s.active.load(std::memory_order_acquire)) {
        logger->log(level >= Level::warn ? spdlog::level::warn : spdlog::level::info, line);
    } else {
        std::fprintf(stderr, "%s\n", line.c_str());
    }
}

}  // namespace log
}  // namespace iotsky
