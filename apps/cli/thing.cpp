#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/credentials.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns{{"THING", "path"},
                                   {"BOARD", "board"},
                                   {"TYPE", "type"},
                                   {"CREATED", "created_at"},
                                   {"AWS NAME", "aws_name", true},
                                   {"ID", "id", true}};

struct CreateArgs {
    std::string path;
    std::string key_type;
    std::string csr;
    std::string out;
    std::string board;
    std::string type;
    std::vector<std::string> policies;
    bool no_certificate = false;
};
struct ListArgs {
    std::string class_name;
    std::string project;
    std::string text;
};
struct PathArgs {
    std::string path;
};
struct RenameArgs {
    std::string path;
    std::string name;
};

Result<json::object> create_body(Session& session, const CreateArgs& args) {
    IOTSKY_TRY(path, parse_thing_path(args.path));
    json::object body{{"name", path.name}};
    const auto put = [&body](std::string_view key, const std::string& value) {
        if (!value.empty()) {
            body[key] = value;
        }
    };
    put("class", path.class_name);
    put("project", path.project);
    put("board", args.board);
    put("type", args.type);
    put("key_type", args.key_type);
    if (!args.csr.empty()) {
        IOTSKY_TRY(csr, read_input(session, args.csr, 64 * 1024));
        body["csr"] = csr;
    }
    if (args.no_certificate) {
        body["key"] = "none";
    }
    if (!args.policies.empty()) {
        body["policies"] = json::value_from(args.policies);
    }
    return body;
}

std::string list_text(const json::value& topics, std::string_view key) {
    std::string out;
    if (const json::value* list = topics.as_object().if_contains(key);
        list != nullptr && list->is_array()) {
        for (const json::value& item : list->get_array()) {
            out += (out.empty() ? "" : ", ") + std::string{item.as_string()};
        }
    }
    return out;
}

void print_created(Session& session, const json::value& made, const std::string& folder) {
    std::ostream& out = session.streams.out;
    if (session.globals.quiet) {
        out << text_at(made, "id") << "\n";
        return;
    }
    out << "Created   " << text_at(made, "path") << "\n";
    if (const json::value* topics = made.as_object().if_contains("topics");
        topics != nullptr && topics->is_object()) {
        out << "publish   " << list_text(*topics, "publish") << "\nsubscribe "
            << list_text(*topics, "subscribe") << "\n";
    }
    if (const json::value* endpoint = made.as_object().if_contains("endpoint")) {
        out << "endpoint  " << cell_text(*endpoint, "host", false) << ":"
            << cell_text(*endpoint, "port", false) << "  ("
            << cell_text(*endpoint, "addresses", false) << ")\n";
    }
    if (!folder.empty()) {
        out << "files     " << folder << "/  "
            << (text_at(made, "private_key").empty() ? "" : "device.key, ")
            << "device.crt, ca.crt, ca-next.crt\n";
    }
    if (!text_at(made, "private_key").empty()) {
        out << "The key is in this folder and nowhere else.\n";
    }
}

Result<Exit> run_create(Session& session, const CreateArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(body, create_body(session, args));
    const bool as_json = session.globals.json || session.globals.jsonl;
    // With --json and no folder the answer itself is where the key goes.
    std::string folder = args.out;
    if (folder.empty() && !as_json && !args.no_certificate) {
        folder = std::string{body.at("name").as_string()};
    }
    if (!folder.empty()) {
        IOTSKY_CHECK(prepare_credentials(folder));
    }
    auto made = api.call("POST", target("/things"), body);
    if (!made) {
        const json::value* name = body.if_contains("class");
        return with_nearest(
            std::move(made).error(), api, "/classes", "name",
            name == nullptr ? std::string_view{} : std::string_view{name->as_string()});
    }
    if (!folder.empty()) {
        IOTSKY_CHECK(write_credentials(folder, *made));
    }
    if (!as_json) {
        print_created(session, *made, folder);
        return Exit::done;
    }
    if (!folder.empty()) {
        made->as_object().erase(
            "private_key");  // it lies in the folder; a terminal or log need not have it too
    }
    session.streams.out << json::serialize(*made) << "\n";
    return Exit::done;
}

Result<Exit> run_list(Session& session, const ListArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items,
               api.list("/things",
                        {{"class", args.class_name}, {"project", args.project}, {"q", args.text}}));
    return print_list(session, items, kColumns);
}

Result<Exit> run_show(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, resolve_thing(api, args.path));
    IOTSKY_TRY(found, api.call("GET", target(thing_target(path))));
    session.globals.output = "wide";
    IOTSKY_TRY(code, print_object(session, found, kColumns));
    const json::value* certificates = found.as_object().if_contains("certificates");
    if (session.globals.json || session.globals.jsonl || session.globals.quiet ||
        certificates == nullptr || !certificates->is_array() || certificates->get_array().empty()) {
        return code;
    }
    session.streams.out << "\n";
    session.globals.output.clear();
    session.globals.columns.clear();
    return print_list(session, certificates->get_array(),
                      {{"CERTIFICATE", "serial"},
                       {"STATUS", "status"},
                       {"KEY", "key_type"},
                       {"UNTIL", "not_after"}});
}

Result<Exit> run_rename(Session& session, const RenameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, resolve_thing(api, args.path));
    IOTSKY_TRY(changed, api.call("PATCH", target(thing_target(path)), {{"name", args.name}}));
    return print_object(session, changed, kColumns);
}

Result<Exit> run_delete(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, resolve_thing(api, args.path));
    if (!session.globals.dry_run) {
        IOTSKY_TRY(sure,
                   session.confirm_name("Delete " + path + " and revoke its certificates?", path));
        if (!sure) {
            return Exit::failed;
        }
    }
    IOTSKY_TRY(answer,
               api.call("DELETE", target(thing_target(path),
                                         {{"dry_run", session.globals.dry_run ? "true" : ""}})));
    return print_object(session, answer,
                        {{"DELETED", "deleted"}, {"REVOKED", "certificates_revoked"}});
}

Result<Exit> run_kick(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, resolve_thing(api, args.path));
    IOTSKY_TRY(answer, api.call("POST", target("/connections:kick"), {{"thing", path}}));
    return print_object(session, answer, {{"KICKED", "kicked"}});
}

Result<Exit> run_refusals(Session& session, const PathArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(path, resolve_thing(api, args.path));
    IOTSKY_TRY(items, api.list(thing_target(path) + "/refusals"));
    return print_list(session, items,
                      {{"AT", "at"},
                       {"CODE", "code"},
                       {"ACTION", "action"},
                       {"TOPIC", "topic"},
                       {"COUNT", "count"},
                       {"HINT", "hint"},
                       {"WHY", "why", true},
                       {"ADDRESS", "address", true}});
}

void add_path(const Verb<PathArgs>& verb) {
    verb->add_option("THING", verb.args->path,
                     "class/project/thing, an id, or a prefix that one thing has")
        ->required();
}

}  // namespace

void add_thing(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "thing", "Things: one device each");
    const auto create = add_verb<CreateArgs>(
        noun, session, "create", "Make a thing with rights, key and certificate in one call",
        run_create);
    create->add_option("THING", create.args->path, "class/project/thing, e.g. 7b/otter/weather")
        ->required();
    create->add_option(
        "--out", create.args->out,
        "Folder for device.crt, device.key, ca.crt, ca-next.crt; default: the thing's name");
    create->add_option("--key-type", create.args->key_type, "p256 (default) or rsa2048")
        ->check(CLI::IsMember({"p256", "rsa2048"}));
    create->add_option("--csr", create.args->csr,
                       "Certificate request (PEM) of a key that stays on the device; - reads it");
    create->add_option("--board", create.args->board,
                       "Which samples the bundle has, e.g. esp32-arduino");
    create->add_option("--type", create.args->type, "A word of yours to sort by");
    create->add_option("--policy", create.args->policies, "Policies to attach")->delimiter(',');
    create->add_flag("--no-certificate", create.args->no_certificate, "The thing alone");

    const auto list = add_verb<ListArgs>(noun, session, "list", "All things", run_list);
    list->add_option("--class", list.args->class_name, "Of one class");
    list->add_option("--project", list.args->project, "Of one project");
    list->add_option("--match", list.args->text, "Whose path has this text");

    add_path(
        add_verb<PathArgs>(noun, session, "show", "One thing with its certificates", run_show));

    const auto rename =
        add_verb<RenameArgs>(noun, session, "rename", "Give a thing another name", run_rename);
    rename->add_option("THING", rename.args->path)->required();
    rename->add_option("NAME", rename.args->name, "The new last part of its path")->required();

    add_path(add_verb<PathArgs>(noun, session, "delete", "Delete a thing; revokes its certificates",
                                run_delete));
    add_path(add_verb<PathArgs>(noun, session, "kick", "Close its connections; it may come back",
                                run_kick));
    add_path(add_verb<PathArgs>(noun, session, "refusals", "What it was refused, and why",
                                run_refusals));
}

}  // namespace iotsky::apps::cli
