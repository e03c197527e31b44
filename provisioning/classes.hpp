#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "provisioning/core.hpp"
#include "provisioning/removal.hpp"

namespace iotsky::provisioning {

/// Settings to change; what is not set stays.
struct SettingsChange {
    std::optional<bool> strict_isolation;
    std::optional<OnDeniedPublish> on_denied_publish;
    std::optional<std::int64_t> things_per_project_max;       ///< 1 to 10,000
    std::optional<std::int64_t> messages_per_second;          ///< 1 to 100,000
    std::optional<std::int64_t> burst;                        ///< 1 to 1,000,000 messages
    std::optional<std::int64_t> payload_bytes_max;            ///< 1 to 268,435,455
    std::optional<std::int64_t> retained_per_thing_max;       ///< 1 to 1,000,000
    std::optional<std::int64_t> queue_bytes_per_session_max;  ///< 1 to 2^40
};

struct ClassRequest {
    std::string name;
    std::optional<Date> ends_on;
    std::optional<std::int64_t> grace_days;  ///< 0 to 3650; 14 when not set
    SettingsChange settings;                 ///< beside [defaults.class]
};

struct ClassChange {
    std::optional<std::optional<Date>> ends_on;  ///< set to nullopt: no end
    std::optional<std::int64_t> grace_days;
    SettingsChange settings;
};

/// What a longer term means for certificates.
struct Extended {
    ClassRecord record;
    /// Active certificates that end before the class does: they need a renewal.
    std::size_t certificates_too_short = 0;
};

enum class ClassState : std::uint8_t { open, grace, ended };
/// open until the day it ends on is over; then certificates are refused, and within the days of
/// grace an extension brings them back as they are.
[[nodiscard]] ClassState state_of(const ClassRecord& record, WallTime now) noexcept;
[[nodiscard]] std::string_view to_string(ClassState state) noexcept;

/// Classes: a term's group with its end and limits. Thread: `work`.
class Classes {
  public:
    explicit Classes(Core& core) noexcept : core_(core) {}

    /// Errors: E2108 there is one, E2109 it would have ended already, E4104, E4117.
    [[nodiscard]] Result<ClassRecord> create(const Caller& caller, const ClassRequest& request);
    /// A caller of one class sees that one.
    [[nodiscard]] Result<Listing<ClassRecord>> list(const Caller& caller, const PageRequest& page);
    [[nodiscard]] Result<ClassRecord> show(const Caller& caller, std::string_view name);
    [[nodiscard]] Result<Changed<ClassRecord>> set(const Caller& caller, std::string_view name,
                                                   const ClassChange& change,
                                                   std::optional<Rev> if_rev = {});
    /// Moves the end to `until`, which must be later than the end now. Error: E2109.
    [[nodiscard]] Result<Changed<Extended>> extend(const Caller& caller, std::string_view name,
                                                   Date until);
    /// Without `cascade` only an empty class. With it, things go and their certificates are
    /// revoked. Error: E2116 not empty.
    [[nodiscard]] Result<Changed<GroupDeleted>> remove(const Caller& caller, std::string_view name,
                                                       bool cascade, bool dry_run = false,
                                                       std::optional<Rev> if_rev = {});

  private:
    Core& core_;
};

}  // namespace iotsky::provisioning
