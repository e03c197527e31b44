#include "provisioning/projects.hpp"

#include <boost/json.hpp>

#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/removal.hpp"
#include "provisioning/rights.hpp"

namespace iotsky::provisioning {
namespace {

void tell(Change& change, std::string_view kind, std::string_view action, const ClassRecord& in,
          const ProjectRecord& project) {
    const boost::json::object body{{"kind", kind},
                                   {"class", in.name},
                                   {"project", project.name},
                                   {"id", project.id.format(kProjectPrefix)}};
    const std::string text = boost::json::serialize(body);
    change.event(kind, text);
    change.audit(action, in.name + "/" + project.name, text);
}

ProjectDetails details(Reader& reader, const ClassRecord& in, ProjectRecord&& record) {
    ProjectDetails shown{std::move(record), in.name, {}, 0};
    for (StudentRecord& student : reader.students_of_project(shown.record.id)) {
        shown.students.push_back(std::move(student.pseudonym));
    }
    shown.things = reader.count_things(shown.record.id);
    return shown;
}

Result<void> add_all(Change& change, const ClassRecord& in, const ProjectRecord& project,
                     const std::vector<std::string>& students) {
    for (const std::string& name : students) {
        IOTSKY_TRY(student, find_student(change.tx, in, name));
        change.tx.add_student_to_project(project.id, student.id);
    }
    return {};
}

struct Found {
    ClassRecord in;
    ProjectRecord project;
};

Result<Found> project_for(Reader& reader, const Caller& caller, Operation operation,
                          std::string_view class_name, std::string_view name) {
    IOTSKY_TRY(in, find_class(reader, class_name));
    IOTSKY_TRY(project, find_project(reader, in, name));
    IOTSKY_CHECK(check(caller, operation, {in.id, project.id}));
    return Found{std::move(in), std::move(project)};
}

ProjectRecord insert_project(Change& change, Core& core, const ClassRecord& in,
                             const std::string& name) {
    ProjectRecord project{Id::random(core.random), in.id, name, change.now, 1};
    change.tx.insert(project);
    tell(change, "project.created", "project.create", in, project);
    return project;
}

}  // namespace

Result<void> check_project_name(const std::string& name) {
    IOTSKY_CHECK(check_name(name, "project", "/project"));
    if (name == "board" || name == "commons") {
        return make_error(Errc::invalid_argument, "E2113",
                          "A project cannot be called " + name + ".",
                          "CLASS/board and CLASS/commons are shared places of the class.",
                          "Choose another name.");
    }
    return {};
}

Result<ProjectRecord> make_project(Change& change, Core& core, const ClassRecord& in,
                                   const std::string& name) {
    IOTSKY_CHECK(check_project_name(name));
    if (auto project = change.tx.project_by_name(in.id, name)) {
        return *std::move(project);
    }
    return insert_project(change, core, in, name);
}

Result<ProjectDetails> Projects::create(const Caller& caller, std::string_view class_name,
                                        const ProjectRequest& request) {
    IOTSKY_CHECK(check_project_name(request.name));
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<ProjectDetails> {
        IOTSKY_TRY(in, find_class(change.tx, class_name));
        IOTSKY_CHECK(check(caller, Operation::project_change, {in.id, std::nullopt}));
        if (change.tx.project_by_name(in.id, request.name)) {
            return make_error(Errc::already_exists, "E2118",
                              "There is a project " + in.name + "/" + request.name + " already.",
                              "Names of projects are unique in a class.", "Choose another name.");
        }
        ProjectRecord project = insert_project(change, core_, in, request.name);
        IOTSKY_CHECK(add_all(change, in, project, request.students));
        return details(change.tx, in, std::move(project));
    }));
    return std::move(done.value);
}

Result<Listing<ProjectDetails>> Projects::list(const Caller& caller, std::string_view class_name,
                                               const PageRequest& request) {
    IOTSKY_TRY(page, to_page(request));
    return core_.store.read([&](Reader& reader) -> Result<Listing<ProjectDetails>> {
        IOTSKY_TRY(in, find_class(reader, class_name));
        IOTSKY_CHECK(check(caller, Operation::project_read, {in.id, caller.project_id}));
        Listing<ProjectDetails> shown;
        if (caller.role != Role::admin && caller.project_id) {
            if (auto own = reader.project_by_id(*caller.project_id)) {
                shown.items.push_back(details(reader, in, *std::move(own)));
            }
            return shown;
        }
        auto rows = to_listing(reader.projects(in.id, page), request.limit,
                               [](const ProjectRecord& row) { return row.name; });
        shown.next = std::move(rows.next);
        for (ProjectRecord& row : rows.items) {
            shown.items.push_back(details(reader, in, std::move(row)));
        }
        return shown;
    });
}

Result<ProjectDetails> Projects::show(const Caller& caller, std::string_view class_name,
                                      std::string_view project) {
    return core_.store.read([&](Reader& reader) -> Result<ProjectDetails> {
        IOTSKY_TRY(found,
                   project_for(reader, caller, Operation::project_read, class_name, project));
        return details(reader, found.in, std::move(found.project));
    });
}

Result<ProjectDetails> Projects::add_students(const Caller& caller, std::string_view class_name,
                                              std::string_view project,
                                              const std::vector<std::string>& students,
                                              std::optional<Rev> if_rev) {
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<ProjectDetails> {
        IOTSKY_TRY(found,
                   project_for(change.tx, caller, Operation::project_change, class_name, project));
        IOTSKY_CHECK(check_rev(if_rev, found.project.rev, "Project " + found.project.name));
        IOTSKY_CHECK(add_all(change, found.in, found.project, students));
        change.tx.update(found.project);
        tell(change, "project.changed", "project.set", found.in, found.project);
        ++found.project.rev;
        return details(change.tx, found.in, std::move(found.project));
    }));
    return std::move(done.value);
}

Result<Changed<GroupDeleted>> Projects::remove(const Caller& caller, std::string_view class_name,
                                               std::string_view name, bool cascade, bool dry_run,
                                               std::optional<Rev> if_rev) {
    return core_.change(
        caller,
        [&](Change& change) -> Result<GroupDeleted> {
            IOTSKY_TRY(found,
                       project_for(change.tx, caller, Operation::project_change, class_name, name));
            const ProjectRecord& project = found.project;
            IOTSKY_CHECK(check_rev(if_rev, project.rev, "Project " + project.name));
            const std::size_t things = change.tx.count_things(project.id);
            if (things > 0 && !cascade) {
                return make_error(Errc::conflict, "E2119",
                                  "Project " + project.name + " is not empty.",
                                  "It has " + std::to_string(things) + " things.",
                                  "Delete it with its things: iotsky project delete " +
                                      found.in.name + "/" + project.name + " --cascade");
            }
            const Removed removed = remove_project(change, project);
            tell(change, "project.deleted", "project.delete", found.in, project);
            return GroupDeleted{project.name, removed.things, removed.certificates_revoked};
        },
        dry_run ? Ending::roll_back : Ending::commit);
}

}  // namespace iotsky::provisioning
