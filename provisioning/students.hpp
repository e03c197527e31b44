#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/core.hpp"

namespace iotsky::provisioning {

struct StudentRequest {
    std::string pseudonym;
    std::optional<std::string> real_name;
    std::optional<std::string> project;  ///< made when missing
};

struct StudentChange {
    std::optional<std::string> pseudonym;
    std::optional<std::optional<std::string>> real_name;  ///< set to nullopt: forget it
};

struct StudentDetails {
    StudentRecord record;  ///< `real_name` only for those who may see it
    std::string class_name;
    std::vector<std::string> projects;
};

/// Students of a class: pseudonyms, real names if the school wants them here. Thread: `work`.
class Students {
  public:
    explicit Students(Core& core) noexcept : core_(core) {}

    /// Errors: E2117 the pseudonym is taken, E2113, E4104, E4117, E4118.
    [[nodiscard]] Result<StudentDetails> add(const Caller& caller, std::string_view class_name,
                                             const StudentRequest& request);
    [[nodiscard]] Result<Listing<StudentDetails>> list(const Caller& caller,
                                                       std::string_view class_name,
                                                       const PageRequest& page);
    [[nodiscard]] Result<StudentDetails> show(const Caller& caller, std::string_view class_name,
                                              std::string_view student);
    [[nodiscard]] Result<StudentDetails> change(const Caller& caller, std::string_view class_name,
                                                std::string_view student,
                                                const StudentChange& change,
                                                std::optional<Rev> if_rev = {});
    /// The projects stay.
    [[nodiscard]] Result<void> remove(const Caller& caller, std::string_view class_name,
                                      std::string_view student, std::optional<Rev> if_rev = {});

  private:
    Core& core_;
};

/// At most 200 bytes of UTF-8 without control characters. Error: E4104.
[[nodiscard]] Result<void> check_real_name(std::string_view name);

}  // namespace iotsky::provisioning
