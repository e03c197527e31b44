#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace iotsky {

[[nodiscard]] inline std::span<const std::byte> as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}
[[nodiscard]] inline std::string_view as_text(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends numbers (little-endian) and counted strings to a byte vector: records in memory and on
/// disk.
class ByteWriter {
  public:
    explicit ByteWriter(std::vector<std::byte>& out) noexcept : out_(out) {}

    void u8(std::uint8_t v) { number(v); }
    void u16(std::uint16_t v) { number(v); }
    void u32(std::uint32_t v) { number(v); }
    void u64(std::uint64_t v) { number(v); }
    void raw(std::span<const std::byte> bytes) {
        out_.insert(out_.end(), bytes.begin(), bytes.end());
    }
    /// 32-bit length, then the bytes.
    void counted(std::span<const std::byte> bytes) {
        u32(static_cast<std::uint32_t>(bytes.size()));
        raw(bytes);
    }
    void counted(std::string_view text) { counted(as_bytes(text)); }
    [[nodiscard]] std::size_t position() const noexcept { return out_.size(); }
    /// Overwrites the u32 at `position`, for lengths that are known only at the end.
    void patch_u32(std::size_t position, std::uint32_t v) noexcept {
        for (unsigned i = 0; i < 4; ++i) {
            out_[position + i] = static_cast<std::byte>(v >> (8 * i));
        }
    }

  private:
    template <typename T>
    void number(T v) {
        std::byte bytes[sizeof(T)];
        for (unsigned i = 0; i < sizeof(T); ++i) {
            bytes[i] = static_cast<std::byte>(static_cast<std::uint64_t>(v) >> (8 * i));
        }
        out_.insert(out_.end(), bytes, bytes + sizeof(T));
    }

    std::vector<std::byte>& out_;
};

/// Reads what ByteWriter wrote. A read past the end gives zeros and makes ok() false for good.
class ByteReader {
  public:
    explicit ByteReader(std::span<const std::byte> in) noexcept : in_(in) {}

    std::uint8_t u8() noexcept { return number<std::uint8_t>(); }
    std::uint16_t u16() noexcept { return number<std::uint16_t>(); }
    std::uint32_t u32() noexcept { return number<std::uint32_t>(); }
    std::uint64_t u64() noexcept { return number<std::uint64_t>(); }
    std::span<const std::byte> raw(std::size_t n) noexcept {
        if (n > in_.size()) {
            ok_ = false;
            in_ = {};
            return {};
        }
        const auto bytes = in_.first(n);
        in_ = in_.subspan(n);
        return bytes;
    }
    std::span<const std::byte> counted() noexcept { return raw(u32()); }
    std::string_view counted_text() noexcept { return as_text(counted()); }
    [[nodiscard]] bool ok() const noexcept { return ok_; }
    [[nodiscard]] bool empty() const noexcept { return in_.empty(); }
    [[nodiscard]] std::size_t left() const noexcept { return in_.size(); }

  private:
    template <typename T>
    T number() noexcept {
        const auto bytes = raw(sizeof(T));
        std::uint64_t v = 0;
        for (unsigned i = 0; i < bytes.size(); ++i) {
            v |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
        }
        return static_cast<T>(v);
    }

    std::span<const std::byte> in_;
    bool ok_ = true;
};

}  // namespace iotsky
