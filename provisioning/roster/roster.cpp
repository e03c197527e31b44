#include "provisioning/roster/roster.hpp"

#include <algorithm>

#include "provisioning/lookup.hpp"
#include "provisioning/rights.hpp"
#include "provisioning/roster/csv.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kChunk = 100;
constexpr std::size_t kStudentsPerRead = 1000;

RosterRow row_of(const PlannedRow& planned, const ClassRecord& in, const RosterOptions& options) {
    RosterRow row;
    row.line = planned.entry.line;
    row.student = planned.entry.pseudonym;
    row.project = planned.entry.project;
    row.number = planned.number;
    row.message = planned.message;
    if (planned.problem) {
        return row;
    }
    if (options.thing) {
        row.thing = in.name + "/" + row.project + "/" + *options.thing;
    }
    row.outcome =
        planned.make_student || planned.make_thing ? RosterOutcome::created : RosterOutcome::exists;
    return row;
}

void fail(RosterRow& row, const Error& error) {
    row.outcome = RosterOutcome::problem;
    row.number = error.number;
    row.message = error.message;
}

Order order_for(Core& core, const Caller& caller, const ClassRecord& in, const PlannedRow& planned,
                const RosterOptions& options) {
    ThingRequest request;
    request.class_name = in.name;
    request.project = planned.entry.project;
    request.name = options.thing.value_or("");
    request.key_type = options.key_type;
    Order order = place_order(core, std::move(request), caller.actor);
    if (!planned.make_thing) {
        order.goal = Goal::student;
        order.request.key = KeySource::none;
    }
    order.owner = planned.student_id;
    if (planned.make_student) {
        StudentRecord student;
        student.id = Id::random(core.random);
        student.class_id = in.id;
        student.pseudonym = planned.entry.pseudonym;
        if (options.keep_real_names && !planned.entry.name.empty()) {
            student.real_name = planned.entry.name;
        }
        student.created_at = order.now;
        order.owner = student.id;
        order.student = std::move(student);
    }
    return order;
}

void count(RosterResult& result) {
    for (const RosterRow& row : result.rows) {
        switch (row.outcome) {
            case RosterOutcome::created:
                ++result.created;
                break;
            case RosterOutcome::exists:
                ++result.existing;
                break;
            case RosterOutcome::problem:
                ++result.problems;
                break;
        }
    }
}

struct Plan {
    ClassRecord in;
    std::vector<PlannedRow> rows;  ///< of all entries of the file
};

Result<Plan> make_plan(Core& core, const Caller& caller, std::string_view class_name,
                       std::vector<RosterEntry>&& entries, const RosterOptions& options) {
    return core.store.read([&](Reader& reader) -> Result<Plan> {
        IOTSKY_TRY(in, find_class(reader, class_name));
        IOTSKY_CHECK(check(caller, Operation::roster_import, {in.id, std::nullopt}));
        RosterPlanner planner(in, options.thing);
        planner.read(reader);
        Plan plan{std::move(in), {}};
        for (RosterEntry& entry : entries) {
            plan.rows.push_back(planner.plan(reader, std::move(entry)));
        }
        return plan;
    });
}

Result<void> check_options(const RosterOptions& options) {
    if (options.thing) {
        IOTSKY_CHECK(check_name(*options.thing, "thing", "/thing"));
    }
    if (options.first < 1 || options.count < 1) {
        return wrong_field("/first", "first and count start from 1.", "Leave them out for all.");
    }
    return {};
}

std::string export_line(Reader& reader, const ClassRecord& in, const StudentRecord& student,
                        const ProjectRecord& project) {
    std::string things;
    ThingFilter filter;
    filter.class_id = in.id;
    filter.project_id = project.id;
    for (const ThingRecord& thing : reader.things(filter, {{}, kStudentsPerRead})) {
        things += (things.empty() ? "" : " ") + thing.name;
    }
    return csv_cell(student.pseudonym) + "," + csv_cell(student.real_name.value_or("")) + "," +
           csv_cell(project.name) + "," + csv_cell(things) + "\r\n";
}

}  // namespace

std::string_view to_string(RosterOutcome outcome) noexcept {
    switch (outcome) {
        case RosterOutcome::created:
            return "created";
        case RosterOutcome::exists:
            return "exists";
        case RosterOutcome::problem:
            return "problem";
    }
    return "problem";
}

Roster::Roster(Core& core) : core_(core), pipeline_(core, roster_steps(core)) {}

void Roster::run_chunk(const Caller& caller, const ClassRecord& in, std::span<RosterRow> rows,
                       std::span<const PlannedRow> plan, const RosterOptions& options) {
    std::vector<Order> orders;
    std::vector<RosterRow*> targets;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (rows[i].outcome == RosterOutcome::created) {
            orders.push_back(order_for(core_, caller, in, plan[i], options));
            targets.push_back(&rows[i]);
        }
    }
    if (orders.empty()) {
        return;
    }
    const auto done = pipeline_.run(orders);
    for (std::size_t i = 0; i < orders.size(); ++i) {
        if (!done) {
            fail(*targets[i], done.error());
            continue;
        }
        targets[i]->certificate = std::move(orders[i].certificate);
        targets[i]->private_key = std::move(orders[i].private_key);
    }
}

Result<RosterResult> Roster::import(const Caller& caller, std::string_view class_name,
                                    std::string_view bytes, const RosterOptions& options) {
    IOTSKY_CHECK(check_options(options));
    IOTSKY_TRY(table, parse_roster(bytes));
    RosterResult result;
    result.dry_run = options.dry_run;
    result.rows_total = table.entries.size();
    result.first = options.first;
    result.columns = std::move(table.columns);
    IOTSKY_TRY(plan, make_plan(core_, caller, class_name, std::move(table.entries), options));

    const std::size_t begin = std::min(options.first - 1, plan.rows.size());
    const std::size_t end = begin + std::min(options.count, plan.rows.size() - begin);
    const std::span<const PlannedRow> chosen(plan.rows.data() + begin, end - begin);
    for (const PlannedRow& planned : chosen) {
        result.rows.push_back(row_of(planned, plan.in, options));
    }
    for (std::size_t at = 0; at < chosen.size() && !options.dry_run; at += kChunk) {
        const std::size_t size = std::min(kChunk, chosen.size() - at);
        run_chunk(caller, plan.in, std::span{result.rows}.subspan(at, size),
                  chosen.subspan(at, size), options);
        if (options.progress) {
            options.progress(at + size, chosen.size());
        }
    }
    if (end < plan.rows.size()) {
        result.next = end + 1;
    }
    count(result);
    return result;
}

Result<std::string> Roster::export_csv(const Caller& caller, std::string_view class_name) {
    return core_.store.read([&](Reader& reader) -> Result<std::string> {
        IOTSKY_TRY(in, find_class(reader, class_name));
        IOTSKY_CHECK(check(caller, Operation::roster_export, {in.id, std::nullopt}));
        std::string text = "\xef\xbb\xbfpseudonym,name,project,things\r\n";
        for (Page page{{}, kStudentsPerRead};;) {
            const auto students = reader.students(in.id, page);
            for (const StudentRecord& student : students) {
                for (const ProjectRecord& project : reader.projects_of_student(student.id)) {
                    text += export_line(reader, in, student, project);
                }
            }
            if (students.size() < page.limit) {
                return text;
            }
            page.after = students.back().pseudonym;
        }
    });
}

}  // namespace iotsky::provisioning
