#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "acl/auth_context.hpp"

namespace iotsky::acl::test {

/// The slow and obvious twin: walks the JSON of valid policy documents anew for each request.
/// Shares no code with the evaluator.
class NaivePolicies {
  public:
    void add(std::string_view document);
    /// A Deny that applies, else an Allow that applies, else refused.
    [[nodiscard]] bool allowed(const Attributes& attributes, const RequestContext& request) const;

  private:
    std::vector<boost::json::value> documents_;
};

/// The default rights of decisions as plain text comparisons.
[[nodiscard]] bool naive_class_allowed(const ClassRights& rights, const std::string& thing_id,
                                       const RequestContext& request);

/// Whether a Topic Filter matches a Topic Name, level by level.
[[nodiscard]] bool naive_filter_matches(const std::string& filter, const std::string& topic);

}  // namespace iotsky::acl::test
