#pragma once

#include <string_view>

#include "provisioning/core.hpp"

/// Taking things away, as several operations do it. Inside a transaction.
namespace iotsky::provisioning {

/// Revokes an active, suspended or inactive certificate. @return whether it was not revoked before.
bool revoke_certificate(Change& change, CertificateRecord row, std::string_view reason);

/// Revokes every certificate of the thing and deletes it. @return certificates revoked.
std::size_t remove_thing(Change& change, const ThingRecord& thing);

/// A class or a project that is gone with all that was in it.
struct GroupDeleted {
    std::string name;
    std::size_t things = 0;
    std::size_t certificates_revoked = 0;
};

struct Removed {
    std::size_t things = 0;
    std::size_t certificates_revoked = 0;
};
/// All things of a project, then the project.
Removed remove_project(Change& change, const ProjectRecord& project);
Removed& operator+=(Removed& sum, const Removed& part) noexcept;

}  // namespace iotsky::provisioning
