#pragma once

#include <string_view>

#include "base/error.hpp"
#include "provisioning/store.hpp"

/// Objects by the words that people use for them: a name, a path or an id. Every error says what is
/// missing, the nearest name there is, and the command that makes it. Thread: inside a transaction
/// or read.
namespace iotsky::provisioning {

/// "7b" or "cl_...". Error: E2107.
[[nodiscard]] Result<ClassRecord> find_class(Reader& reader, std::string_view name);
/// Pseudonym or "st_...". Error: E2110.
[[nodiscard]] Result<StudentRecord> find_student(Reader& reader, const ClassRecord& in,
                                                 std::string_view name);
/// Name or "pr_...". Error: E2111.
[[nodiscard]] Result<ProjectRecord> find_project(Reader& reader, const ClassRecord& in,
                                                 std::string_view name);
/// "7b/otter/weather", "7b:otter:weather", an AWS name, or "th_...". Error: E2112.
[[nodiscard]] Result<ThingRecord> find_thing(Reader& reader, std::string_view name);
/// "ce_...", serial or SHA-256 fingerprint in hexadecimal (colons allowed). Errors: E5245 unknown,
/// E5241 several certificates have this serial.
[[nodiscard]] Result<CertificateRecord> find_certificate(Reader& reader, std::string_view name);
/// Name or "po_...". Error: E3120.
[[nodiscard]] Result<PolicyRecord> find_policy(Reader& reader, std::string_view name);
/// "to_...". Error: E4128.
[[nodiscard]] Result<TokenRecord> find_token(Reader& reader, std::string_view name);

/// 1-40 of [A-Za-z0-9_-]; `what` is "class", "project" ... Error: E4104 with `pointer`.
[[nodiscard]] Result<void> check_name(std::string_view name, std::string_view what,
                                      std::string_view pointer = "/name");
/// An AWS thing name: 1-128 of [A-Za-z0-9:_-]. Error: E4104.
[[nodiscard]] Result<void> check_aws_name(std::string_view name);
/// At most 50 attributes, keys 1-128 of [A-Za-z0-9_.:@#-], values 0-800 printable bytes, as AWS
/// counts them. Error: E4104.
[[nodiscard]] Result<void> check_attributes(const Attributes& attributes);
/// A field that is wrong: E4104 with its JSON pointer.
[[nodiscard]] Error wrong_field(std::string pointer, std::string message, std::string how);

}  // namespace iotsky::provisioning
