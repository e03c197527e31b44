#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace iotsky {

/// Text that must not stay in memory: private keys, passphrases. Wipes itself when it ends or is
/// moved from; never copied by accident, never printed (there is no operator<<).
/// Thread: confined to whoever holds it.
class SecretString {
  public:
    SecretString() = default;
    /// Copies `text`; the caller's copy stays the caller's matter.
    explicit SecretString(std::string_view text);
    /// Takes `text` over and wipes the string that held it.
    [[nodiscard]] static SecretString take(std::string&& text);
    /// `length` zero bytes, to be filled through data().
    [[nodiscard]] static SecretString of_length(std::size_t length);

    SecretString(SecretString&& other) noexcept;
    SecretString& operator=(SecretString&& other) noexcept;
    SecretString(const SecretString&) = delete;
    SecretString& operator=(const SecretString&) = delete;
    ~SecretString();

    [[nodiscard]] std::string_view view() const noexcept { return {bytes_.get(), size_}; }
    [[nodiscard]] char* data() noexcept { return bytes_.get(); }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// A second holder, on purpose.
    [[nodiscard]] SecretString clone() const { return SecretString{view()}; }

  private:
    void wipe() noexcept;

    std::unique_ptr<char[]> bytes_;
    std::size_t size_ = 0;
};

/// Overwrites the bytes of `text` in a way that the compiler keeps, then empties it.
void wipe(std::string& text) noexcept;

}  // namespace iotsky
