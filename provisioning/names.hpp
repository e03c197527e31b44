#pragma once

#include <optional>
#include <string_view>

#include "provisioning/records.hpp"

/// The words of the enumerations as JSON and the database show them, and back.
namespace iotsky::provisioning {

[[nodiscard]] std::string_view to_string(OnDeniedPublish value) noexcept;
[[nodiscard]] std::string_view to_string(CertificateStatus value) noexcept;
[[nodiscard]] std::string_view to_string(CertificateOrigin value) noexcept;
[[nodiscard]] std::string_view to_string(TargetKind value) noexcept;
[[nodiscard]] std::string_view to_string(Role value) noexcept;

/// nullopt for an unknown word.
template <typename Enum>
[[nodiscard]] std::optional<Enum> from_string(std::string_view word) noexcept;

template <>
std::optional<OnDeniedPublish> from_string(std::string_view word) noexcept;
template <>
std::optional<CertificateStatus> from_string(std::string_view word) noexcept;
template <>
std::optional<CertificateOrigin> from_string(std::string_view word) noexcept;
template <>
std::optional<TargetKind> from_string(std::string_view word) noexcept;
template <>
std::optional<Role> from_string(std::string_view word) noexcept;

/// Prefixes of ids in text ("th_01J...").
inline constexpr std::string_view kClassPrefix = "cl";
inline constexpr std::string_view kStudentPrefix = "st";
inline constexpr std::string_view kProjectPrefix = "pr";
inline constexpr std::string_view kThingPrefix = "th";
inline constexpr std::string_view kCertificatePrefix = "ce";
inline constexpr std::string_view kEntryPrefix = "en";
inline constexpr std::string_view kPolicyPrefix = "po";
inline constexpr std::string_view kTokenPrefix = "to";
inline constexpr std::string_view kOrderPrefix = "or";

}  // namespace iotsky::provisioning
