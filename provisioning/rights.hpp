#pragma once

#include <optional>

#include "base/error.hpp"
#include "provisioning/caller.hpp"

namespace iotsky::provisioning {

/// What a caller can ask for; one row each in the table of rights.cpp.
enum class Operation : std::uint8_t {
    class_create,
    class_read,
    class_change,
    class_delete,
    student_read,
    student_real_name,
    student_change,
    roster_import,
    roster_export,
    project_read,
    project_change,
    thing_read,
    thing_change,
    certificate_read,
    certificate_change,
    certificate_status,
    service_issue,
    policy_read,
    policy_change,
    token_manage,
    events_read,
    audit_read,
    chain_run,
};
inline constexpr std::size_t kOperationCount = 23;

/// Where the object of an operation belongs; nothing set: to no class (the machine, a classless
/// thing, a service), which is the admin's alone.
struct Place {
    std::optional<Id> class_id;
    std::optional<Id> project_id;
};

/// Whether the role may do `operation` at all, wherever.
[[nodiscard]] bool role_may(Role role, Operation operation) noexcept;

/// Errors: E4117 the role may not, E4118 the caller's class or project is another.
/// Thread: any (pure).
[[nodiscard]] Result<void> check(const Caller& caller, Operation operation, const Place& place);

}  // namespace iotsky::provisioning
