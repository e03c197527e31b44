#include "provisioning/names.hpp"

#include <array>

namespace iotsky::provisioning {
namespace {

template <typename Enum>
struct Words;

template <>
struct Words<OnDeniedPublish> {
    static constexpr std::array<std::string_view, 2> kWords{"ack", "disconnect"};
};
template <>
struct Words<CertificateStatus> {
    static constexpr std::array<std::string_view, 5> kWords{"pending", "active", "suspended",
                                                            "revoked", "inactive"};
};
template <>
struct Words<CertificateOrigin> {
    static constexpr std::array<std::string_view, 3> kWords{"server_key", "csr", "foreign"};
};
template <>
struct Words<TargetKind> {
    static constexpr std::array<std::string_view, 6> kWords{"certificate", "thing", "project",
                                                            "class",       "group", "user"};
};
template <>
struct Words<Role> {
    static constexpr std::array<std::string_view, 6> kWords{"admin",   "teacher",   "assistant",
                                                            "student", "projector", "device"};
};

template <typename Enum>
std::string_view word_of(Enum value) noexcept {
    return Words<Enum>::kWords[static_cast<std::size_t>(value)];
}

template <typename Enum>
std::optional<Enum> value_of(std::string_view word) noexcept {
    for (std::size_t i = 0; i < Words<Enum>::kWords.size(); ++i) {
        if (Words<Enum>::kWords[i] == word) {
            return static_cast<Enum>(i);
        }
    }
    return std::nullopt;
}

}  // namespace

std::string ThingRecord::path() const {
    if (!class_id) {
        return aws_name;
    }
    std::string text = aws_name;
    for (char& c : text) {
        c = c == ':' ? '/' : c;
    }
    return text;
}

std::string_view to_string(OnDeniedPublish value) noexcept {
    return word_of(value);
}
std::string_view to_string(CertificateStatus value) noexcept {
    return word_of(value);
}
std::string_view to_string(CertificateOrigin value) noexcept {
    return word_of(value);
}
std::string_view to_string(TargetKind value) noexcept {
    return word_of(value);
}
std::string_view to_string(Role value) noexcept {
    return word_of(value);
}

template <>
std::optional<OnDeniedPublish> from_string(std::string_view word) noexcept {
    return value_of<OnDeniedPublish>(word);
}
template <>
std::optional<CertificateStatus> from_string(std::string_view word) noexcept {
    return value_of<CertificateStatus>(word);
}
template <>
std::optional<CertificateOrigin> from_string(std::string_view word) noexcept {
    return value_of<CertificateOrigin>(word);
}
template <>
std::optional<TargetKind> from_string(std::string_view word) noexcept {
    return value_of<TargetKind>(word);
}
template <>
std::optional<Role> from_string(std::string_view word) noexcept {
    return value_of<Role>(word);
}

}  // namespace iotsky::provisioning
