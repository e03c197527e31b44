#pragma once

#include <string>
#include <vector>

#include "tests/wire/conversation.hpp"

namespace iotsky::wire {

/// The conversations of the files whose name contains `only`, which may be empty. A CMakeLists.txt
/// is skipped, so that tests/wire/*.txt may be passed.
/// Throws std::invalid_argument for a file that cannot be read or has a mistake.
[[nodiscard]] std::vector<Conversation> load(const std::vector<std::string>& files,
                                             const std::string& only);

/// Speaks them one after the other and prints a line for each; returns how many failed.
[[nodiscard]] std::size_t run_all(const std::vector<Conversation>& conversations,
                                  const RunOptions& options);

}  // namespace iotsky::wire
