#include "storage/registry_tx.hpp"
#include "storage/rows.hpp"

namespace iotsky::storage {

using namespace provisioning;

namespace {

#define IOTSKY_CLASS_COLUMNS                                                                       \
    "id, name, ends_on, grace_days, strict_isolation, on_denied_publish, things_per_project_max, " \
    "messages_per_second, burst, payload_bytes_max, retained_per_thing_max, "                      \
    "queue_bytes_per_session_max, created_at, rev"
#define IOTSKY_STUDENT_COLUMNS "id, class_id, pseudonym, real_name, created_at, rev"

std::optional<Date> read_date(Query& query) {
    const auto text = query.get<std::optional<std::string>>();
    if (!text) {
        return std::nullopt;
    }
    const auto date = parse_date(*text);
    if (!date) {
        query.damaged("not a date: \"" + *text + "\"");
    }
    return date;
}

std::optional<std::string> date_text(const std::optional<Date>& date) {
    return date ? std::optional{format_date(*date)} : std::nullopt;
}

ClassRecord read_class(Query& query) {
    ClassRecord row;
    query.read(row.id, row.name);
    row.ends_on = read_date(query);
    query.read(row.grace_days, row.settings.strict_isolation);
    row.settings.on_denied_publish = read_word<OnDeniedPublish>(query);
    ClassLimits& limits = row.settings.limits;
    query.read(limits.things_per_project_max, limits.messages_per_second, limits.burst,
               limits.payload_bytes_max, limits.retained_per_thing_max,
               limits.queue_bytes_per_session_max, row.created_at, row.rev);
    return row;
}

StudentRecord read_student(Query& query) {
    StudentRecord row;
    query.read(row.id, row.class_id, row.pseudonym, row.real_name, row.created_at, row.rev);
    return row;
}

}  // namespace

std::optional<ClassRecord> RegistryTx::class_by_id(const Id& id) {
    return first_row(db_.query("SELECT " IOTSKY_CLASS_COLUMNS " FROM classes WHERE id = ?1", id),
                     read_class);
}

std::optional<ClassRecord> RegistryTx::class_by_name(std::string_view name) {
    return first_row(
        db_.query("SELECT " IOTSKY_CLASS_COLUMNS " FROM classes WHERE name = ?1", name),
        read_class);
}

std::vector<ClassRecord> RegistryTx::classes(const Page& page) {
    return all_rows(db_.query("SELECT " IOTSKY_CLASS_COLUMNS
                              " FROM classes WHERE name > ?1 ORDER BY name LIMIT ?2",
                              page.after, limit_of(page.limit)),
                    read_class);
}

void RegistryTx::insert(const ClassRecord& row) {
    const ClassLimits& limits = row.settings.limits;
    db_.run("INSERT INTO classes (" IOTSKY_CLASS_COLUMNS
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            row.id, row.name, date_text(row.ends_on), row.grace_days, row.settings.strict_isolation,
            to_string(row.settings.on_denied_publish), limits.things_per_project_max,
            limits.messages_per_second, limits.burst, limits.payload_bytes_max,
            limits.retained_per_thing_max, limits.queue_bytes_per_session_max, row.created_at,
            row.rev);
}

void RegistryTx::update(const ClassRecord& row) {
    const ClassLimits& limits = row.settings.limits;
    db_.run(
        "UPDATE classes SET ends_on = ?2, grace_days = ?3, strict_isolation = ?4, "
        "on_denied_publish = ?5, things_per_project_max = ?6, messages_per_second = ?7, "
        "burst = ?8, payload_bytes_max = ?9, retained_per_thing_max = ?10, "
        "queue_bytes_per_session_max = ?11, rev = rev + 1 WHERE id = ?1",
        row.id, date_text(row.ends_on), row.grace_days, row.settings.strict_isolation,
        to_string(row.settings.on_denied_publish), limits.things_per_project_max,
        limits.messages_per_second, limits.burst, limits.payload_bytes_max,
        limits.retained_per_thing_max, limits.queue_bytes_per_session_max);
}

void RegistryTx::erase_class(const Id& id) {
    db_.run("DELETE FROM classes WHERE id = ?1", id);
}

std::optional<StudentRecord> RegistryTx::student_by_id(const Id& id) {
    return first_row(db_.query("SELECT " IOTSKY_STUDENT_COLUMNS " FROM students WHERE id = ?1", id),
                     read_student);
}

std::optional<StudentRecord> RegistryTx::student_by_pseudonym(const Id& class_id,
                                                              std::string_view pseudonym) {
    return first_row(db_.query("SELECT " IOTSKY_STUDENT_COLUMNS
                               " FROM students WHERE class_id = ?1 AND pseudonym = ?2",
                               class_id, pseudonym),
                     read_student);
}

std::vector<StudentRecord> RegistryTx::students(const Id& class_id, const Page& page) {
    return all_rows(db_.query("SELECT " IOTSKY_STUDENT_COLUMNS
                              " FROM students WHERE class_id = ?1 AND pseudonym > ?2 "
                              "ORDER BY pseudonym LIMIT ?3",
                              class_id, page.after, limit_of(page.limit)),
                    read_student);
}

std::vector<StudentRecord> RegistryTx::students_of_project(const Id& project_id) {
    return all_rows(db_.query("SELECT " IOTSKY_STUDENT_COLUMNS
                              " FROM students WHERE id IN (SELECT student_id FROM project_students "
                              "WHERE project_id = ?1) ORDER BY pseudonym",
                              project_id),
                    read_student);
}

void RegistryTx::insert(const StudentRecord& row) {
    db_.run("INSERT INTO students (" IOTSKY_STUDENT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            row.id, row.class_id, row.pseudonym, row.real_name, row.created_at, row.rev);
}

void RegistryTx::update(const StudentRecord& row) {
    db_.run("UPDATE students SET pseudonym = ?2, real_name = ?3, rev = rev + 1 WHERE id = ?1",
            row.id, row.pseudonym, row.real_name);
}

void RegistryTx::erase_student(const Id& id) {
    db_.run("DELETE FROM students WHERE id = ?1", id);
}

}  // namespace iotsky::storage
