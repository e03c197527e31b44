#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace iotsky::apps {

/// Collects what is wrong with a configuration, so that one run tells all of it. Confined to its
/// caller.
class Problems {
  public:
    /// `where`: "file:line:col" or the variable's name.
    void add(const std::string& where, std::string_view number, const std::string& what,
             std::string why, std::string how) {
        Error error = make_error(Errc::invalid_argument, number, where + ": " + what,
                                 std::move(why), std::move(how));
        fields_.push_back({where, std::string{number} + " " + what});
        if (fields_.size() == 1) {
            first_ = std::move(error);
        }
    }

    [[nodiscard]] bool empty() const noexcept { return fields_.empty(); }

    /// The first problem, with all of them as its fields.
    [[nodiscard]] Error error() const {
        Error error = first_;
        error.fields = fields_;
        return error;
    }

  private:
    Error first_;
    std::vector<FieldError> fields_;
};

}  // namespace iotsky::apps
