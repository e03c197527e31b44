#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "provisioning/roster/pseudonyms.hpp"
#include "provisioning/roster/roster_table.hpp"
#include "provisioning/store.hpp"

namespace iotsky::provisioning {

/// What is to be done for one row.
struct PlannedRow {
    RosterEntry entry;             ///< pseudonym and project are filled in
    std::optional<Id> student_id;  ///< a student who is there already
    bool make_student = false;
    bool make_thing = false;
    std::string number;  ///< problem or warning
    std::string message;
    bool problem = false;
};

/// Decides row by row what is new, given what the class has: names are matched to students that are
/// there, new ones get pseudonyms, two rows with one name stay two students. Confined; one object
/// for one import, so that chunks see each other's names.
class RosterPlanner {
  public:
    /// @param thing  Name of the thing that each student shall have.
    RosterPlanner(const ClassRecord& in, std::optional<std::string> thing);

    /// Reads what the class has. Once, before the first plan().
    void read(Reader& reader);
    /// Every row in turn; also rows that will not be worked on, whose names count.
    [[nodiscard]] PlannedRow plan(Reader& reader, RosterEntry entry);

  private:
    [[nodiscard]] std::optional<StudentRecord> known_student(const RosterEntry& entry);
    void plan_thing(Reader& reader, PlannedRow& row);
    void warn_of_same_name(PlannedRow& row);

    const ClassRecord in_;
    const std::optional<std::string> thing_;
    Pseudonyms pseudonyms_;
    std::map<std::string, StudentRecord> by_pseudonym_;
    std::multimap<std::string, std::string> by_name_;  ///< real name to pseudonym, not matched yet
    std::map<std::string, std::pair<std::size_t, std::string>> seen_;  ///< name to line, pseudonym
    std::map<std::string, std::int64_t> things_planned_;               ///< by project
};

}  // namespace iotsky::provisioning
