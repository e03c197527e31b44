// What the sketch of a bundle uses of the ESP32 core, with the core's types, for compiling and
// running it on a computer: time passes in delay(), the serial console is standard output.
#pragma once

#include <stdint.h>

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string>

typedef uint8_t byte;
enum NumberBase { DEC = 10, HEX = 16 };

inline unsigned long& stub_millis() {
    static unsigned long now = 0;
    return now;
}
inline unsigned long millis() {
    return stub_millis();
}
inline void delay(unsigned long ms) {
    stub_millis() += ms;
}
inline long random(long bound) {
    return bound > 0 ? std::rand() % bound : 0;
}

template <typename A, typename B>
auto min(A a, B b) -> decltype(a < b ? a : b) {
    return a < b ? a : b;
}

class String {
  public:
    String(const char* text = "") : text_(text) {}
    String(uint32_t value, NumberBase base) {
        char text[16];
        std::snprintf(text, sizeof text, base == HEX ? "%x" : "%u", value);
        text_ = text;
    }
    String(double value, unsigned int decimals) {
        char text[32];
        std::snprintf(text, sizeof text, "%.*f", static_cast<int>(decimals), value);
        text_ = text;
    }
    const char* c_str() const { return text_.c_str(); }
    friend String operator+(const String& a, const String& b) {
        return String((a.text_ + b.text_).c_str());
    }

  private:
    std::string text_;
};

class HardwareSerial {
  public:
    void begin(unsigned long /*baud*/) {}
    __attribute__((format(printf, 2, 3))) int printf(const char* format, ...) {
        va_list list;
        va_start(list, format);
        const int written = std::vprintf(format, list);
        va_end(list);
        return written;
    }
    void print(const char* text) { std::fputs(text, stdout); }
    void println(const char* text = "") { std::puts(text); }
    void write(const uint8_t* bytes, unsigned long length) {
        std::fwrite(bytes, 1, length, stdout);
    }
};
inline HardwareSerial Serial;

class EspClass {
  public:
    uint64_t getEfuseMac() { return 0x0000a1b2c3d4e5f6ULL; }
};
inline EspClass ESP;
