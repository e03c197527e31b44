#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace iotsky::apps::backup {

/// Something that comes: its path below the unpacked folder, and its name in the data folder.
struct Incoming {
    std::string from;
    std::string to;
};

/// What a restore does to a data folder, written down (DIR/restore.json) before its first step.
///
/// Everything happens by renames, and where a name is found tells how far they are: what was there
/// lies in `before` or still in the data folder; what comes lies in `fresh` or already in the data
/// folder, and only when nothing of the same name is yet to move out. So a plan can be carried out
/// or taken back from any step, also one in the middle of the other direction.
struct Plan {
    std::string fresh;             ///< folder of what comes
    std::string before;            ///< folder for what was there; empty: there was nothing
    std::vector<std::string> out;  ///< names in the data folder that move out
    std::vector<Incoming> in;
};

/// Durable when it returns. Error: E5109 or E1161; it may be on disk all the same.
[[nodiscard]] Result<void> write_plan(const std::filesystem::path& data, const Plan& plan);
/// nullopt: no restore is under way. Error: E5109 it cannot be read, or is none.
[[nodiscard]] Result<std::optional<Plan>> read_plan(const std::filesystem::path& data);
/// Removes the plan, then what it left over. Error: E5109 the plan is still there.
[[nodiscard]] Result<void> drop_plan(const std::filesystem::path& data, const Plan& plan);

/// Puts everything in place; when a step cannot be done, or what was unpacked is not all there any
/// more, takes back what was done, so that the old data are as they were. Error: E5109, which says
/// whether it was taken back; when that failed, too, the plan stays and the next start tries again.
[[nodiscard]] Result<void> carry_out(const std::filesystem::path& data, const Plan& plan);

/// Gives `path` and all in it to the folder's owner when root restores for the account that runs
/// the broker. Error: E5109.
[[nodiscard]] Result<void> give_to_owner(const std::filesystem::path& data,
                                         const std::filesystem::path& path);

/// Makes the names in a folder and in all folders below it durable. Error: E5109.
[[nodiscard]] Result<void> sync_tree(const std::filesystem::path& folder);

}  // namespace iotsky::apps::backup
