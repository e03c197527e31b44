#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/core.hpp"
#include "provisioning/removal.hpp"

namespace iotsky::provisioning {

struct ProjectRequest {
    std::string name;
    std::vector<std::string> students;  ///< pseudonyms or ids; a group has several
};

struct ProjectDetails {
    ProjectRecord record;
    std::string class_name;
    std::vector<std::string> students;  ///< pseudonyms
    std::size_t things = 0;
};

/// Projects: what a student or a group builds. Thread: `work`.
class Projects {
  public:
    explicit Projects(Core& core) noexcept : core_(core) {}

    /// Errors: E2118 there is one, E2113 reserved name, E2110 no such student.
    [[nodiscard]] Result<ProjectDetails> create(const Caller& caller, std::string_view class_name,
                                                const ProjectRequest& request);
    /// A student sees the own project.
    [[nodiscard]] Result<Listing<ProjectDetails>> list(const Caller& caller,
                                                       std::string_view class_name,
                                                       const PageRequest& page);
    [[nodiscard]] Result<ProjectDetails> show(const Caller& caller, std::string_view class_name,
                                              std::string_view project);
    /// Makes the students the project's students, beside those it has. Error: E2110.
    [[nodiscard]] Result<ProjectDetails> add_students(const Caller& caller,
                                                      std::string_view class_name,
                                                      std::string_view project,
                                                      const std::vector<std::string>& students,
                                                      std::optional<Rev> if_rev = {});
    /// Without `cascade` only one without things. Error: E2119.
    [[nodiscard]] Result<Changed<GroupDeleted>> remove(const Caller& caller,
                                                       std::string_view class_name,
                                                       std::string_view project, bool cascade,
                                                       bool dry_run = false,
                                                       std::optional<Rev> if_rev = {});

  private:
    Core& core_;
};

/// The project of that name, made when it is missing. Errors: E2113, E4104.
[[nodiscard]] Result<ProjectRecord> make_project(Change& change, Core& core, const ClassRecord& in,
                                                 const std::string& name);

/// Error: E2113 for the shared places of a class.
[[nodiscard]] Result<void> check_project_name(const std::string& name);

}  // namespace iotsky::provisioning
