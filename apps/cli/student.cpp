#include <boost/json.hpp>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns{{"STUDENT", "pseudonym"},        {"NAME", "real_name"},
                                   {"PROJECTS", "projects"},        {"CLASS", "class", true},
                                   {"CREATED", "created_at", true}, {"ID", "id", true}};

struct AddArgs {
    std::string path;
    std::string name;  ///< when the class was given alone
    std::string real_name;
    std::string project;
};
struct ClassArgs {
    std::string name;
};
struct PathArgs {
    std::string path;
};
struct RenameArgs {
    std::string path;
    std::string pseudonym;
    std::string real_name;
};

Result<std::string> student_path(const std::string& text) {
    IOTSKY_TRY(parts, parse_two_parts(text, "student"));
    return "/classes/" + encode(parts.first) + "/students/" + encode(parts.second);
}

Result<Exit> run_add(Session& session, const AddArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(parts, parse_two_parts(args.name.empty() ? args.path : args.path + "/" + args.name,
                                      "student"));
    json::object body{{"pseudonym", parts.second}};
    if (!args.real_name.empty()) {
        body["real_name"] = args.real_name;
    }
    if (!args.project.empty()) {
        body["project"] = args.project;
    }
    auto made = api.call("POST", target("/classes/" + encode(parts.first) + "/students"), body);
    if (!made) {
        return with_nearest(std::move(made).error(), api, "/classes", "name", parts.first);
    }
    return print_object(session, *made, kColumns);
}

Result<Exit> run_list(Session& session, const ClassArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    auto items = api.list("/classes/" + encode(args.name) + "/students");
    if (!items) {
        return with_nearest(std::move(items).error(), api, "/classes", "name", args.name);
    }
    return print_list(session, *items, kColumns);
}

Result<Exit> run_show(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, student_path(args.path));
    IOTSKY_TRY(found, api.call("GET", target(path)));
    session.globals.output = "wide";
    return print_object(session, found, kColumns);
}

Result<Exit> run_rename(Session& session, const RenameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, student_path(args.path));
    json::object body;
    if (!args.pseudonym.empty()) {
        body["pseudonym"] = args.pseudonym;
    }
    if (!args.real_name.empty()) {
        body["real_name"] = args.real_name;
    }
    if (body.empty()) {
        return usage_error("Nothing to change.", "No new name was given.",
                           "Give --pseudonym or --real-name.");
    }
    IOTSKY_TRY(changed, api.call("PATCH", target(path), body));
    return print_object(session, changed, kColumns);
}

Result<Exit> run_remove(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, student_path(args.path));
    IOTSKY_TRY(sure, session.confirm("Remove student " + args.path + "? The projects stay."));
    if (!sure) {
        return Exit::failed;
    }
    IOTSKY_TRY(answer, api.call("DELETE", target(path)));
    return print_object(session, answer, {{"REMOVED", "deleted"}});
}

}  // namespace

void add_student(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "student", "Students of a class, by their pseudonyms");
    const auto add = add_verb<AddArgs>(noun, session, "add", "Add one student", run_add);
    add->add_option("CLASS/STUDENT", add.args->path, "For example 7b/otter")->required();
    add->add_option("STUDENT", add.args->name, "The pseudonym, when the class was given alone");
    add->add_option("--real-name", add.args->real_name,
                    "Seen by teachers only, never in topics or logs");
    add->add_option("--project", add.args->project, "Project to join; made when it is missing");

    const auto list =
        add_verb<ClassArgs>(noun, session, "list", "The students of a class", run_list);
    list->add_option("CLASS", list.args->name)->required();

    const auto show = add_verb<PathArgs>(noun, session, "show", "One student", run_show);
    show->add_option("CLASS/STUDENT", show.args->path)->required();

    const auto rename =
        add_verb<RenameArgs>(noun, session, "rename", "Change a student's names", run_rename);
    rename->add_option("CLASS/STUDENT", rename.args->path)->required();
    rename->add_option("--pseudonym", rename.args->pseudonym);
    rename->add_option("--real-name", rename.args->real_name);

    const auto remove =
        add_verb<PathArgs>(noun, session, "remove", "Remove a student; projects stay", run_remove);
    remove->add_option("CLASS/STUDENT", remove.args->path)->required();
}

}  // namespace iotsky::apps::cli
