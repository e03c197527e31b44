#include "provisioning/rights.hpp"

#include <array>
#include <string>

#include "provisioning/names.hpp"

namespace iotsky::provisioning {
namespace {

struct Row {
    Operation operation;
    std::string_view what;  ///< completes "may not ..."
    bool teacher;
    bool assistant;
    bool student;
};

/// The admin may do everything, projector and device nothing here. Teacher and assistant act in the
/// class of their token, the student in the project of theirs.
constexpr std::array<Row, kOperationCount> kRights{{
    // operation                       what                         teacher assist. student
    {Operation::class_create, "create classes", false, false, false},
    {Operation::class_read, "see this class", true, true, false},
    {Operation::class_change, "change this class", true, false, false},
    {Operation::class_delete, "delete classes", false, false, false},
    {Operation::student_read, "see students", true, true, false},
    {Operation::student_real_name, "see real names", true, false, false},
    {Operation::student_change, "change students", true, false, false},
    {Operation::roster_import, "import a roster", true, false, false},
    {Operation::roster_export, "export names", true, false, false},
    {Operation::project_read, "see this project", true, true, true},
    {Operation::project_change, "change projects", true, false, false},
    {Operation::thing_read, "see this thing", true, true, true},
    {Operation::thing_change, "change this thing", true, false, true},
    {Operation::certificate_read, "see this certificate", true, true, true},
    {Operation::certificate_change, "issue or revoke this certificate", true, false, true},
    {Operation::certificate_status, "switch this certificate on or off", true, false, false},
    {Operation::service_issue, "make service identities", false, false, false},
    {Operation::policy_read, "see policies", false, false, false},
    {Operation::policy_change, "change policies", false, false, false},
    {Operation::token_manage, "manage tokens", false, false, false},
    {Operation::events_read, "read events", false, false, false},
    {Operation::audit_read, "read the audit log", false, false, false},
    {Operation::chain_run, "run provisioning steps", false, false, false},
}};

const Row& row_of(Operation operation) noexcept {
    return kRights[static_cast<std::size_t>(operation)];
}

bool in_place(const Caller& caller, const Place& place) {
    if (caller.role == Role::admin) {
        return true;
    }
    // A token of these roles without its class reaches nothing: in doubt, deny.
    if (!caller.class_id || caller.class_id != place.class_id) {
        return false;
    }
    if (caller.role == Role::student) {
        return caller.project_id && caller.project_id == place.project_id;
    }
    return !caller.project_id || caller.project_id == place.project_id;
}

}  // namespace

bool role_may(Role role, Operation operation) noexcept {
    const Row& row = row_of(operation);
    switch (role) {
        case Role::admin:
            return true;
        case Role::teacher:
            return row.teacher;
        case Role::assistant:
            return row.assistant;
        case Role::student:
            return row.student;
        case Role::projector:
        case Role::device:
            return false;
    }
    return false;
}

Result<void> check(const Caller& caller, Operation operation, const Place& place) {
    const std::string what{row_of(operation).what};
    if (!role_may(caller.role, operation)) {
        return make_error(Errc::permission_denied, "E4117", "You may not " + what + ".",
                          "Your role is " + std::string{to_string(caller.role)} + ".",
                          "Ask somebody with the right role, or use another token: "
                          "iotsky token create --role ROLE");
    }
    if (!in_place(caller, place)) {
        return make_error(Errc::permission_denied, "E4118", "You may not " + what + ".",
                          "Your token is for another class or project.",
                          "Use a token for this class: iotsky token create --role teacher "
                          "--class CLASS");
    }
    return {};
}

}  // namespace iotsky::provisioning
