#include "provisioning/students.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "provisioning/lookup.hpp"
#include "provisioning/names.hpp"
#include "provisioning/projects.hpp"
#include "provisioning/rights.hpp"

namespace iotsky::provisioning {
namespace {

constexpr std::size_t kRealNameMax = 200;

/// Events and audit name the pseudonym only.
void tell(Change& change, std::string_view kind, std::string_view action, const ClassRecord& in,
          const StudentRecord& student) {
    const boost::json::object body{{"kind", kind},
                                   {"class", in.name},
                                   {"student", student.pseudonym},
                                   {"id", student.id.format(kStudentPrefix)}};
    const std::string text = boost::json::serialize(body);
    change.event(kind, text);
    change.audit(action, in.name + "/" + student.pseudonym, text);
}

StudentDetails details(Reader& reader, const Caller& caller, const ClassRecord& in,
                       StudentRecord&& record) {
    StudentDetails shown{std::move(record), in.name, {}};
    if (!role_may(caller.role, Operation::student_real_name)) {
        shown.record.real_name.reset();
    }
    for (ProjectRecord& project : reader.projects_of_student(shown.record.id)) {
        shown.projects.push_back(std::move(project.name));
    }
    return shown;
}

Result<ClassRecord> class_for(Reader& reader, const Caller& caller, Operation operation,
                              std::string_view name) {
    IOTSKY_TRY(in, find_class(reader, name));
    IOTSKY_CHECK(check(caller, operation, {in.id, std::nullopt}));
    return in;
}

Result<void> check_free(Reader& reader, const ClassRecord& in, const std::string& pseudonym) {
    if (!reader.student_by_pseudonym(in.id, pseudonym)) {
        return {};
    }
    return make_error(Errc::already_exists, "E2117",
                      "There is a student " + pseudonym + " in class " + in.name + " already.",
                      "Pseudonyms are unique in a class.", "Choose another pseudonym.");
}

}  // namespace

Result<void> check_real_name(std::string_view name) {
    const bool clean = std::none_of(name.begin(), name.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (!name.empty() && name.size() <= kRealNameMax && clean) {
        return {};
    }
    return wrong_field("/real_name", "This is not a name.",
                       "Use 1 to 200 bytes without control characters.");
}

Result<StudentDetails> Students::add(const Caller& caller, std::string_view class_name,
                                     const StudentRequest& request) {
    IOTSKY_CHECK(check_name(request.pseudonym, "student", "/pseudonym"));
    if (request.real_name) {
        IOTSKY_CHECK(check_real_name(*request.real_name));
    }
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<StudentDetails> {
        IOTSKY_TRY(in, class_for(change.tx, caller, Operation::student_change, class_name));
        IOTSKY_CHECK(check_free(change.tx, in, request.pseudonym));
        StudentRecord row{Id::random(core_.random), in.id,      request.pseudonym,
                          request.real_name,        change.now, 1};
        change.tx.insert(row);
        if (request.project) {
            IOTSKY_TRY(project, make_project(change, core_, in, *request.project));
            change.tx.add_student_to_project(project.id, row.id);
        }
        tell(change, "student.created", "student.add", in, row);
        return details(change.tx, caller, in, std::move(row));
    }));
    return std::move(done.value);
}

Result<Listing<StudentDetails>> Students::list(const Caller& caller, std::string_view class_name,
                                               const PageRequest& request) {
    IOTSKY_TRY(page, to_page(request));
    return core_.store.read([&](Reader& reader) -> Result<Listing<StudentDetails>> {
        IOTSKY_TRY(in, class_for(reader, caller, Operation::student_read, class_name));
        auto rows = to_listing(reader.students(in.id, page), request.limit,
                               [](const StudentRecord& row) { return row.pseudonym; });
        Listing<StudentDetails> shown;
        shown.next = std::move(rows.next);
        for (StudentRecord& row : rows.items) {
            shown.items.push_back(details(reader, caller, in, std::move(row)));
        }
        return shown;
    });
}

Result<StudentDetails> Students::show(const Caller& caller, std::string_view class_name,
                                      std::string_view student) {
    return core_.store.read([&](Reader& reader) -> Result<StudentDetails> {
        IOTSKY_TRY(in, class_for(reader, caller, Operation::student_read, class_name));
        IOTSKY_TRY(row, find_student(reader, in, student));
        return details(reader, caller, in, std::move(row));
    });
}

Result<StudentDetails> Students::change(const Caller& caller, std::string_view class_name,
                                        std::string_view student, const StudentChange& wanted,
                                        std::optional<Rev> if_rev) {
    if (wanted.pseudonym) {
        IOTSKY_CHECK(check_name(*wanted.pseudonym, "student", "/pseudonym"));
    }
    if (wanted.real_name && *wanted.real_name) {
        IOTSKY_CHECK(check_real_name(**wanted.real_name));
    }
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<StudentDetails> {
        IOTSKY_TRY(in, class_for(change.tx, caller, Operation::student_change, class_name));
        IOTSKY_TRY(row, find_student(change.tx, in, student));
        IOTSKY_CHECK(check_rev(if_rev, row.rev, "Student " + row.pseudonym));
        if (wanted.pseudonym && *wanted.pseudonym != row.pseudonym) {
            IOTSKY_CHECK(check_free(change.tx, in, *wanted.pseudonym));
            row.pseudonym = *wanted.pseudonym;
        }
        row.real_name = wanted.real_name.value_or(row.real_name);
        change.tx.update(row);
        tell(change, "student.changed", "student.set", in, row);
        ++row.rev;
        return details(change.tx, caller, in, std::move(row));
    }));
    return std::move(done.value);
}

Result<void> Students::remove(const Caller& caller, std::string_view class_name,
                              std::string_view student, std::optional<Rev> if_rev) {
    IOTSKY_TRY(done, core_.change(caller, [&](Change& change) -> Result<bool> {
        IOTSKY_TRY(in, class_for(change.tx, caller, Operation::student_change, class_name));
        IOTSKY_TRY(row, find_student(change.tx, in, student));
        IOTSKY_CHECK(check_rev(if_rev, row.rev, "Student " + row.pseudonym));
        change.tx.erase_student(row.id);
        tell(change, "student.deleted", "student.remove", in, row);
        return true;
    }));
    static_cast<void>(done);
    return {};
}

}  // namespace iotsky::provisioning
