#pragma once

#include <optional>
#include <string>

#include "base/id.hpp"
#include "provisioning/records.hpp"

namespace iotsky::provisioning {

/// Who asks, as the edge (HTTP, CLI) has authenticated it. Every operation of the registry takes
/// one and checks it against the table in rights.cpp.
struct Caller {
    Role role = Role::projector;
    std::string actor;           ///< for the audit: "unix:root", "token:laptop", "system"
    std::optional<Id> class_id;  ///< teacher, assistant, projector, student: the class of the token
    std::optional<Id> project_id;  ///< student: the project of the token

    /// The program itself: start-up and upkeep.
    [[nodiscard]] static Caller system() { return {Role::admin, "system", {}, {}}; }
};

}  // namespace iotsky::provisioning
