#include <boost/json.hpp>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "apps/files.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

const std::vector<Column> kColumns{{"TOKEN", "name"},         {"ROLE", "role"},
                                   {"CLASS", "class"},        {"PROJECT", "project"},
                                   {"UNTIL", "expires_at"},   {"LAST USED", "last_used_at"},
                                   {"REVOKED", "revoked_at"}, {"ID", "id"}};

struct NoArgs {};
struct CreateArgs {
    std::string name;
    std::string role;
    std::string class_name;
    std::string project;
    std::string expires_in;
    std::string out;
};
struct NameArgs {
    std::string name;
};

Result<Exit> run_create(Session& session, const CreateArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    json::object body{{"name", args.name}, {"role", args.role}};
    if (!args.class_name.empty()) {
        body["class"] = args.class_name;
    }
    if (!args.project.empty()) {
        body["project"] = args.project;
    }
    if (!args.expires_in.empty()) {
        body["expires_in"] = args.expires_in;
    }
    IOTSKY_TRY(made, api.call("POST", target("/tokens"), body));
    std::vector<Column> columns = kColumns;
    if (args.out.empty()) {
        columns.insert(columns.begin(), {"SECRET (shown once)", "token"});
    } else {
        IOTSKY_CHECK(write_new(args.out, text_at(made, "token") + "\n", 0600));
        made.as_object().erase("token");
    }
    return print_object(session, made, columns);
}

Result<Exit> run_list(Session& session, const NoArgs&) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items, api.list("/tokens"));
    return print_list(session, items, kColumns);
}

Result<Exit> run_revoke(Session& session, const NameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(answer, api.call("DELETE", target("/tokens/" + encode(args.name))));
    return print_object(session, answer, {{"REVOKED", "revoked"}});
}

}  // namespace

void add_token(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "token", "Tokens: access to the API for people and programs");
    const auto create =
        add_verb<CreateArgs>(noun, session, "create", "Make a token; it is shown once", run_create);
    create->add_option("NAME", create.args->name, "What it is for")->required();
    create->add_option("--role", create.args->role, "What it may do")
        ->required()
        ->check(CLI::IsMember({"admin", "teacher", "assistant", "student", "projector"}));
    create->add_option("--class", create.args->class_name, "Only this class");
    create->add_option("--project", create.args->project, "Only this project of the class");
    create->add_option("--expires-in", create.args->expires_in, "E.g. 90d");
    create->add_option("--out", create.args->out,
                       "Write the token to this new file (0600) instead of showing it");

    add_verb<NoArgs>(noun, session, "list", "All tokens, without their secrets", run_list);
    const auto revoke =
        add_verb<NameArgs>(noun, session, "revoke", "End a token at once", run_revoke);
    revoke->add_option("TOKEN", revoke.args->name, "Its id (to_...)")->required();
}

}  // namespace iotsky::apps::cli
