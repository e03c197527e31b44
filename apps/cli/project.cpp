#include <boost/json.hpp>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns{
    {"PROJECT", "name"},      {"STUDENTS", "students"},        {"THINGS", "things"},
    {"CLASS", "class", true}, {"CREATED", "created_at", true}, {"ID", "id", true}};

struct CreateArgs {
    std::string path;
    std::vector<std::string> students;
};
struct ClassArgs {
    std::string name;
};
struct PathArgs {
    std::string path;
    bool cascade = false;
};

Result<std::string> project_path(const std::string& text) {
    IOTSKY_TRY(parts, parse_two_parts(text, "project"));
    return "/classes/" + encode(parts.first) + "/projects/" + encode(parts.second);
}

Result<Exit> run_create(Session& session, const CreateArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(parts, parse_two_parts(args.path, "project"));
    json::object body{{"name", parts.second}};
    if (!args.students.empty()) {
        body["students"] = json::value_from(args.students);
    }
    auto made = api.call("POST", target("/classes/" + encode(parts.first) + "/projects"), body);
    if (!made) {
        return with_nearest(std::move(made).error(), api, "/classes", "name", parts.first);
    }
    return print_object(session, *made, kColumns);
}

Result<Exit> run_list(Session& session, const ClassArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    auto items = api.list("/classes/" + encode(args.name) + "/projects");
    if (!items) {
        return with_nearest(std::move(items).error(), api, "/classes", "name", args.name);
    }
    return print_list(session, *items, kColumns);
}

Result<Exit> run_show(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, project_path(args.path));
    IOTSKY_TRY(found, api.call("GET", target(path)));
    session.globals.output = "wide";
    return print_object(session, found, kColumns);
}

Result<Exit> run_delete(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, project_path(args.path));
    if (!session.globals.dry_run) {
        IOTSKY_TRY(sure, session.confirm_name("Delete project " + args.path +
                                                  (args.cascade ? " with its things?" : "?"),
                                              args.path));
        if (!sure) {
            return Exit::failed;
        }
    }
    IOTSKY_TRY(
        answer,
        api.call("DELETE", target(path, {{"cascade", args.cascade ? "true" : ""},
                                         {"dry_run", session.globals.dry_run ? "true" : ""}})));
    return print_object(
        session, answer,
        {{"DELETED", "deleted"}, {"THINGS", "things"}, {"REVOKED", "certificates_revoked"}});
}

}  // namespace

void add_project(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "project", "Projects: what a student or a group builds");
    const auto create = add_verb<CreateArgs>(noun, session, "create", "Make a project", run_create);
    create->add_option("CLASS/PROJECT", create.args->path, "For example 7b/otter")->required();
    create->add_option("--student", create.args->students, "Its students, by pseudonym")
        ->delimiter(',');

    const auto list =
        add_verb<ClassArgs>(noun, session, "list", "The projects of a class", run_list);
    list->add_option("CLASS", list.args->name)->required();

    const auto show = add_verb<PathArgs>(noun, session, "show", "One project", run_show);
    show->add_option("CLASS/PROJECT", show.args->path)->required();

    const auto remove =
        add_verb<PathArgs>(noun, session, "delete", "Delete an empty project", run_delete);
    remove->add_option("CLASS/PROJECT", remove.args->path)->required();
    remove->add_flag("--cascade", remove.args->cascade,
                     "With its things; revokes their certificates");
}

}  // namespace iotsky::apps::cli
