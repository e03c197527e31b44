#include "provisioning/roster/roster_plan.hpp"

#include <cstring>

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kStudentsPerRead = 1000;

std::uint64_t seed_of(const Id& id) {
    std::uint64_t seed = 0;
    std::memcpy(&seed, id.bytes.data(), sizeof seed);
    return seed;
}

void set_problem(PlannedRow& row, std::string number, std::string message) {
    row.problem = true;
    row.number = std::move(number);
    row.message = std::move(message);
}

}  // namespace

RosterPlanner::RosterPlanner(const ClassRecord& in, std::optional<std::string> thing)
    : in_(in), thing_(std::move(thing)), pseudonyms_(seed_of(in.id)) {
    pseudonyms_.take("board");
    pseudonyms_.take("commons");
}

void RosterPlanner::read(Reader& reader) {
    for (Page page{{}, kStudentsPerRead};;) {
        const auto students = reader.students(in_.id, page);
        for (const StudentRecord& student : students) {
            pseudonyms_.take(student.pseudonym);
            if (student.real_name) {
                by_name_.emplace(*student.real_name, student.pseudonym);
            }
            by_pseudonym_.emplace(student.pseudonym, student);
        }
        if (students.size() < page.limit) {
            return;
        }
        page.after = students.back().pseudonym;
    }
}

/// By pseudonym when the file has one, else by name; each student answers for one row.
std::optional<StudentRecord> RosterPlanner::known_student(const RosterEntry& entry) {
    std::string pseudonym = entry.pseudonym;
    if (pseudonym.empty()) {
        const auto found = by_name_.find(entry.name);
        if (found == by_name_.end()) {
            return std::nullopt;
        }
        pseudonym = found->second;
        by_name_.erase(found);
    }
    const auto found = by_pseudonym_.find(pseudonym);
    return found == by_pseudonym_.end() ? std::nullopt : std::optional{found->second};
}

void RosterPlanner::warn_of_same_name(PlannedRow& row) {
    const RosterEntry& entry = row.entry;
    if (entry.name.empty()) {
        return;
    }
    const auto [before, first] =
        seen_.try_emplace(entry.name, std::pair{entry.line, entry.pseudonym});
    if (!first) {
        row.number = "W2101";
        row.message = "the same name is in lines " + std::to_string(before->second.first) +
                      " and " + std::to_string(entry.line) + ". Kept both as " +
                      before->second.second + " and " + entry.pseudonym +
                      "; give a second column to tell them apart";
    }
}

void RosterPlanner::plan_thing(Reader& reader, PlannedRow& row) {
    const std::string& project_name = row.entry.project;
    const auto project = reader.project_by_name(in_.id, project_name);
    const std::string aws_name = in_.name + ":" + project_name + ":" + *thing_;
    if (project && reader.thing_by_aws_name(aws_name)) {
        return;
    }
    std::int64_t& planned = things_planned_[project_name];
    if (planned > 0) {
        // A group: its project has one thing of that name, which the first row makes.
        return;
    }
    const auto count =
        project ? static_cast<std::int64_t>(reader.count_things(project->id)) : std::int64_t{0};
    if (count >= in_.settings.limits.things_per_project_max) {
        set_problem(
            row, "E2106",
            "project " + project_name + " already has " + std::to_string(count) + " things");
        return;
    }
    ++planned;
    row.make_thing = true;
}

PlannedRow RosterPlanner::plan(Reader& reader, RosterEntry entry) {
    PlannedRow row;
    row.entry = std::move(entry);
    if (!row.entry.problem.empty()) {
        set_problem(row, row.entry.problem_number, row.entry.problem);
        return row;
    }
    if (const auto known = known_student(row.entry)) {
        row.student_id = known->id;
        row.entry.pseudonym = known->pseudonym;
    } else {
        row.make_student = true;
        if (row.entry.pseudonym.empty()) {
            row.entry.pseudonym = pseudonyms_.next();
        } else if (seen_.contains("\n" + row.entry.pseudonym)) {
            set_problem(row, "E2131", "the pseudonym " + row.entry.pseudonym + " is there twice");
            return row;
        }
    }
    pseudonyms_.take(row.entry.pseudonym);
    seen_.try_emplace("\n" + row.entry.pseudonym, std::pair{row.entry.line, std::string{}});
    if (row.entry.project.empty()) {
        row.entry.project = row.entry.pseudonym;
    }
    if (row.entry.project == "board" || row.entry.project == "commons") {
        set_problem(row, "E2113",
                    "a project cannot be called " + row.entry.project +
                        ", that is a shared place of the class");
        return row;
    }
    warn_of_same_name(row);
    if (thing_) {
        plan_thing(reader, row);
    }
    return row;
}

}  // namespace iotsky::provisioning
