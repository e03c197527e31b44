#include "base/secret.hpp"

#include <cstring>
#include <utility>

namespace iotsky {

SecretString::SecretString(std::string_view text)
    : bytes_(text.empty() ? nullptr : std::make_unique<char[]>(text.size())), size_(text.size()) {
    if (!text.empty()) {
        std::memcpy(bytes_.get(), text.data(), text.size());
    }
}

SecretString SecretString::take(std::string&& text) {
    SecretString secret{text};
    iotsky::wipe(text);
    return secret;
}

SecretString SecretString::of_length(std::size_t length) {
    SecretString secret;
    if (length != 0) {
        secret.bytes_ = std::make_unique<char[]>(length);
        secret.size_ = length;
    }
    return secret;
}

SecretString::SecretString(SecretString&& other) noexcept
    : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

SecretString& SecretString::operator=(SecretString&& other) noexcept {
    if (this != &other) {
        wipe();
        bytes_ = std::move(other.bytes_);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

SecretString::~SecretString() {
    wipe();
}

void SecretString::wipe() noexcept {
    if (bytes_) {
        explicit_bzero(bytes_.get(), size_);
    }
    size_ = 0;
}

void wipe(std::string& text) noexcept {
    // The whole buffer: a string that shrank keeps old bytes behind its end.
    text.resize(text.capacity());
    explicit_bzero(text.data(), text.size());
    text.clear();
}

}  // namespace iotsky
