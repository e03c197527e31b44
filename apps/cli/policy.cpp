#include <algorithm>
#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns{{"POLICY", "name"},
                                   {"VERSION", "default_version"},
                                   {"VERSIONS", "versions", true},
                                   {"CREATED", "created_at"},
                                   {"ID", "id", true}};

struct NoArgs {};
struct FileArgs {
    std::string name;
    std::string file;
};
struct NameArgs {
    std::string name;
};
struct DeleteArgs {
    std::string name;
    std::int64_t version = 0;  ///< 0: the whole policy
};
struct AttachArgs {
    std::string policy;
    std::string target;  ///< its kind is told by its form
    std::string thing;
    std::string project;
    std::string class_name;
    std::string certificate;
};

Result<json::value> read_document(Session& session, const std::string& file) {
    IOTSKY_TRY(text, read_input(session, file, 256 * 1024));
    boost::system::error_code fault;
    json::value document = json::parse(text, fault);
    if (fault) {
        return make_error(Errc::invalid_argument, "E1172", "The file " + file + " is not JSON.",
                          fault.message() + ".",
                          "A policy document is a JSON object with Version and Statement.");
    }
    return document;
}

Result<Exit> run_create(Session& session, const FileArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(document, read_document(session, args.file));
    IOTSKY_TRY(
        made, api.call("POST", target("/policies"), {{"name", args.name}, {"document", document}}));
    return print_object(session, made, kColumns);
}

Result<Exit> run_set(Session& session, const FileArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(document, read_document(session, args.file));
    auto made = api.call("POST", target("/policies/" + encode(args.name) + "/versions"),
                         {{"document", document}, {"set_default", true}});
    if (!made) {
        return with_nearest(std::move(made).error(), api, "/policies", "name", args.name);
    }
    return print_object(session, *made, {{"VERSION", "version"}, {"CREATED", "created_at"}});
}

Result<Exit> run_check(Session& session, const NameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(document, read_document(session, args.name));
    auto answer = api.call("POST", target("/policies:check"), {{"document", document}});
    if (!answer && answer.error().code == Errc::invalid_argument) {
        session.print(answer.error());
        return Exit::answer_no;
    }
    IOTSKY_TRY(valid, std::move(answer));
    return print_object(session, valid, {{"VALID", "valid"}});
}

Result<Exit> run_list(Session& session, const NoArgs&) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items, api.list("/policies"));
    return print_list(session, items, kColumns);
}

Result<Exit> run_show(Session& session, const NameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    auto found = api.call("GET", target("/policies/" + encode(args.name)));
    if (!found) {
        return with_nearest(std::move(found).error(), api, "/policies", "name", args.name);
    }
    session.globals.output = "wide";
    return print_object(session, *found,
                        {{"POLICY", "name"},
                         {"VERSION", "default_version"},
                         {"VERSIONS", "versions"},
                         {"TARGETS", "targets"},
                         {"DOCUMENT", "document"},
                         {"ID", "id"}});
}

Result<Exit> run_versions(Session& session, const NameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    auto items = api.list("/policies/" + encode(args.name) + "/versions");
    if (!items) {
        return with_nearest(std::move(items).error(), api, "/policies", "name", args.name);
    }
    return print_list(session, *items,
                      {{"VERSION", "version"}, {"IN FORCE", "default"}, {"CREATED", "created_at"}});
}

Result<Exit> run_delete(Session& session, const DeleteArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    const std::string version =
        args.version == 0 ? "" : "/versions/" + std::to_string(args.version);
    IOTSKY_TRY(sure,
               session.confirm("Delete " +
                               std::string{version.empty() ? "policy " : "a version of policy "} +
                               args.name + "?"));
    if (!sure) {
        return Exit::failed;
    }
    auto answer = api.call("DELETE", target("/policies/" + encode(args.name) + version));
    if (!answer) {
        return with_nearest(std::move(answer).error(), api, "/policies", "name", args.name);
    }
    return print_object(session, *answer, {{"DELETED", "deleted"}});
}

/// "7b/otter/weather" is a thing, "7b/otter" a project, a long hexadecimal number a certificate,
/// anything else a class.
AttachArgs with_target(AttachArgs args) {
    const auto slashes = std::count(args.target.begin(), args.target.end(), '/');
    const bool serial =
        args.target.size() >= 20 &&
        args.target.find_first_not_of("0123456789abcdefABCDEF:") == std::string::npos;
    std::string& place = slashes == 2 || args.target.starts_with("th_") ? args.thing
                         : slashes == 1                                 ? args.project
                         : serial || args.target.starts_with("ce_")     ? args.certificate
                                                                        : args.class_name;
    if (!args.target.empty() && place.empty()) {
        place = args.target;
    }
    return args;
}

Result<json::object> target_of(const Api& api, const AttachArgs& given) {
    const AttachArgs args = with_target(given);
    const std::pair<const char*, const std::string*> kinds[] = {{"thing", &args.thing},
                                                                {"project", &args.project},
                                                                {"class", &args.class_name},
                                                                {"certificate", &args.certificate}};
    json::object found;
    for (const auto& [kind, name] : kinds) {
        if (!name->empty()) {
            if (!found.empty()) {
                return usage_error("More than one target was given.",
                                   "A policy is attached to one thing at a time.",
                                   "Run the command once for each.");
            }
            found = {{"kind", kind}, {"name", *name}};
        }
    }
    if (found.empty()) {
        return usage_error("No target was given.", "A policy is attached to something.",
                           "Add --thing, --project, --class or --certificate.");
    }
    if (!args.thing.empty()) {
        IOTSKY_TRY(path, resolve_thing(api, args.thing));
        found["name"] = path;
    }
    return found;
}

Result<Exit> change(Session& session, const AttachArgs& args, const std::string& verb) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(where, target_of(api, args));
    auto answer = api.call("POST", target("/policies/" + encode(args.policy) + ":" + verb),
                           {{"target", where}});
    if (!answer) {
        return with_nearest(std::move(answer).error(), api, "/policies", "name", args.policy);
    }
    return print_object(
        session, *answer,
        {{"POLICY", "policy"}, {"TARGET", "target.name"}, {"IN EFFECT", "effective"}});
}

Result<Exit> run_attach(Session& session, const AttachArgs& args) {
    return change(session, args, "attach");
}
Result<Exit> run_detach(Session& session, const AttachArgs& args) {
    return change(session, args, "detach");
}

void add_target_options(const Verb<AttachArgs>& verb) {
    verb->add_option("POLICY", verb.args->policy)->required();
    verb->add_option("TARGET", verb.args->target,
                     "A thing, project, class or certificate, told by its form");
    verb->add_option("--thing", verb.args->thing, "class/project/thing");
    verb->add_option("--project", verb.args->project, "class/project");
    verb->add_option("--class", verb.args->class_name);
    verb->add_option("--certificate", verb.args->certificate, "Serial number or id");
}

}  // namespace

void add_policy(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "policy", "Policies: rights in the AWS IoT language");
    const auto create = add_verb<FileArgs>(noun, session, "create", "Store a policy", run_create);
    create->add_option("POLICY", create.args->name, "Its name")->required();
    create->add_option("FILE,--file", create.args->file, "The document (JSON); - reads it")
        ->required();

    const auto set = add_verb<FileArgs>(
        noun, session, "set", "Store a new version and make it the one in force", run_set);
    set->add_option("POLICY", set.args->name)->required();
    set->add_option("FILE,--file", set.args->file, "The document (JSON); - reads it")->required();

    const auto check = add_verb<NameArgs>(noun, session, "check",
                                          "Check a document; exit 8 when it is wrong", run_check);
    check->add_option("FILE", check.args->name)->required();

    add_verb<NoArgs>(noun, session, "list", "All policies", run_list);
    const auto show =
        add_verb<NameArgs>(noun, session, "show", "One policy with its document", run_show);
    show->add_option("POLICY", show.args->name)->required();
    const auto versions =
        add_verb<NameArgs>(noun, session, "versions", "All versions of a policy", run_versions);
    versions->add_option("POLICY", versions.args->name)->required();

    const auto remove = add_verb<DeleteArgs>(
        noun, session, "delete", "Delete a policy that is attached to nothing", run_delete);
    remove->add_option("POLICY", remove.args->name)->required();
    remove->add_option("--version", remove.args->version, "Only this version");

    add_target_options(
        add_verb<AttachArgs>(noun, session, "attach", "Give its rights to something", run_attach));
    add_target_options(add_verb<AttachArgs>(noun, session, "detach", "Take them back", run_detach));
}

}  // namespace iotsky::apps::cli
