#include <boost/json.hpp>

#include "storage/registry_tx.hpp"
#include "storage/rows.hpp"

namespace iotsky::storage {

using namespace provisioning;

namespace {

#define IOTSKY_PROJECT_COLUMNS "id, class_id, name, created_at, rev"
#define IOTSKY_THING_COLUMNS \
    "id, class_id, project_id, name, aws_name, thing_type, board, attributes, created_at, rev"

ProjectRecord read_project(Query& query) {
    ProjectRecord row;
    query.read(row.id, row.class_id, row.name, row.created_at, row.rev);
    return row;
}

std::string attributes_text(const Attributes& attributes) {
    boost::json::object object;
    for (const auto& [key, value] : attributes) {
        object[key] = value;
    }
    return boost::json::serialize(object);
}

Attributes read_attributes(Query& query) {
    const auto text = query.get<std::string>();
    Attributes attributes;
    if (text == "{}") {
        return attributes;
    }
    boost::system::error_code error;
    const auto value = boost::json::parse(text, error);
    if (error || !value.is_object()) {
        query.damaged("attributes are not a JSON object");
        return attributes;
    }
    for (const auto& [key, member] : value.get_object()) {
        if (member.is_string()) {
            attributes.emplace_back(key, member.get_string());
        }
    }
    return attributes;
}

ThingRecord read_thing(Query& query) {
    ThingRecord row;
    query.read(row.id, row.class_id, row.project_id, row.name, row.aws_name, row.type, row.board);
    row.attributes = read_attributes(query);
    query.read(row.created_at, row.rev);
    return row;
}

}  // namespace

std::optional<ProjectRecord> RegistryTx::project_by_id(const Id& id) {
    return first_row(db_.query("SELECT " IOTSKY_PROJECT_COLUMNS " FROM projects WHERE id = ?1", id),
                     read_project);
}

std::optional<ProjectRecord> RegistryTx::project_by_name(const Id& class_id,
                                                         std::string_view name) {
    return first_row(db_.query("SELECT " IOTSKY_PROJECT_COLUMNS
                               " FROM projects WHERE class_id = ?1 AND name = ?2",
                               class_id, name),
                     read_project);
}

std::vector<ProjectRecord> RegistryTx::projects(const Id& class_id, const Page& page) {
    return all_rows(db_.query("SELECT " IOTSKY_PROJECT_COLUMNS
                              " FROM projects WHERE class_id = ?1 AND name > ?2 "
                              "ORDER BY name LIMIT ?3",
                              class_id, page.after, limit_of(page.limit)),
                    read_project);
}

std::vector<ProjectRecord> RegistryTx::projects_of_student(const Id& student_id) {
    return all_rows(
        db_.query("SELECT " IOTSKY_PROJECT_COLUMNS " FROM projects WHERE id IN (SELECT project_id "
                  "FROM project_students WHERE student_id = ?1) ORDER BY name",
                  student_id),
        read_project);
}

void RegistryTx::insert(const ProjectRecord& row) {
    db_.run("INSERT INTO projects (" IOTSKY_PROJECT_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5)", row.id,
            row.class_id, row.name, row.created_at, row.rev);
}

void RegistryTx::update(const ProjectRecord& row) {
    db_.run("UPDATE projects SET rev = rev + 1 WHERE id = ?1", row.id);
}

void RegistryTx::erase_project(const Id& id) {
    db_.run("DELETE FROM projects WHERE id = ?1", id);
}

void RegistryTx::add_student_to_project(const Id& project_id, const Id& student_id) {
    db_.run("INSERT OR IGNORE INTO project_students (project_id, student_id) VALUES (?1, ?2)",
            project_id, student_id);
}

std::optional<ThingRecord> RegistryTx::thing_by_id(const Id& id) {
    return first_row(db_.query("SELECT " IOTSKY_THING_COLUMNS " FROM things WHERE id = ?1", id),
                     read_thing);
}

std::optional<ThingRecord> RegistryTx::thing_by_aws_name(std::string_view aws_name) {
    return first_row(
        db_.query("SELECT " IOTSKY_THING_COLUMNS " FROM things WHERE aws_name = ?1", aws_name),
        read_thing);
}

std::vector<ThingRecord> RegistryTx::things(const ThingFilter& filter, const Page& page) {
    return all_rows(
        db_.query("SELECT " IOTSKY_THING_COLUMNS " FROM things WHERE (?1 IS NULL OR class_id = ?1) "
                  "AND (?2 IS NULL OR project_id = ?2) "
                  "AND (?3 = '' OR instr(aws_name, ?3) > 0) AND aws_name > ?4 "
                  "ORDER BY aws_name LIMIT ?5",
                  filter.class_id, filter.project_id, filter.part, page.after,
                  limit_of(page.limit)),
        read_thing);
}

std::size_t RegistryTx::count_things(const Id& project_id) {
    Query query = db_.query("SELECT count(*) FROM things WHERE project_id = ?1", project_id);
    return query.next() ? static_cast<std::size_t>(query.get<std::int64_t>()) : 0;
}

void RegistryTx::insert(const ThingRecord& row) {
    db_.run("INSERT INTO things (" IOTSKY_THING_COLUMNS
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            row.id, row.class_id, row.project_id, row.name, row.aws_name, row.type, row.board,
            attributes_text(row.attributes), row.created_at, row.rev);
}

void RegistryTx::update(const ThingRecord& row) {
    db_.run(
        "UPDATE things SET name = ?2, aws_name = ?3, thing_type = ?4, board = ?5, "
        "attributes = ?6, rev = rev + 1 WHERE id = ?1",
        row.id, row.name, row.aws_name, row.type, row.board, attributes_text(row.attributes));
}

void RegistryTx::erase_thing(const Id& id) {
    db_.run("DELETE FROM things WHERE id = ?1", id);
}

}  // namespace iotsky::storage
