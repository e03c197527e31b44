#pragma once

#include <string>

#include "acl/auth_context.hpp"
#include "base/random.hpp"

namespace iotsky::acl::test {

/// Documents, connections and requests out of few words, so that they often meet.
[[nodiscard]] std::string random_document(SeededRandom& random);
[[nodiscard]] Attributes random_attributes(SeededRandom& random);
[[nodiscard]] std::string random_topic(SeededRandom& random);
[[nodiscard]] std::string random_filter(SeededRandom& random);

}  // namespace iotsky::acl::test
