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

const std::vector<Column> kColumns{{"SERIAL", "serial"},
                                   {"STATUS", "status"},
                                   {"THINGS", "things"},
                                   {"SERVICE", "service"},
                                   {"KEY", "key_type"},
                                   {"UNTIL", "not_after"},
                                   {"SINCE", "not_before", true},
                                   {"REVOKED", "revoked_at", true},
                                   {"REASON", "revoke_reason", true},
                                   {"FINGERPRINT", "fingerprint", true},
                                   {"ISSUER", "issuer", true},
                                   {"ID", "id", true}};

struct IssueArgs {
    std::string thing;
    std::string service;
    std::string policy_file;
    std::vector<std::string> policies;
    std::string key_type;
    std::string csr;
    std::string out;
    bool revoke_old = false;
};
struct ListArgs {
    std::string class_name;
    std::string thing;
    std::string status;
    std::string expiring;
};
struct NameArgs {
    std::string name;
};
struct RenewArgs {
    std::string name;
    std::string key_type;
    std::string csr;
    std::string out;
    bool revoke_old = false;
};
struct RevokeArgs {
    std::string name;
    std::string reason;
};

std::string certificate_target(std::string_view name) {
    return "/certificates/" + encode(name);
}

Result<void> put_key(Session& session, json::object& body, const std::string& key_type,
                     const std::string& csr_file) {
    if (!key_type.empty()) {
        body["key_type"] = key_type;
    }
    if (!csr_file.empty()) {
        IOTSKY_TRY(csr, read_input(session, csr_file, 64 * 1024));
        body["csr"] = csr;
    }
    return {};
}

/// Issues by one call and puts the files where they are wanted.
Result<Exit> issue(Session& session, const Api& api, const std::string& path,
                   const json::object& body, const std::string& out,
                   const std::string& default_folder) {
    const bool as_json = session.globals.json || session.globals.jsonl;
    const std::string folder = out.empty() && !as_json ? default_folder : out;
    if (!folder.empty()) {
        IOTSKY_CHECK(prepare_credentials(folder));
    }
    IOTSKY_TRY(made, api.call("POST", target(path), body));
    if (!folder.empty()) {
        IOTSKY_CHECK(write_credentials(folder, made));
        made.as_object().erase("private_key");
    }
    if (as_json) {
        session.streams.out << json::serialize(made) << "\n";
        return Exit::done;
    }
    IOTSKY_TRY(code, print_object(session, made.at("certificate"), kColumns));
    if (!session.globals.quiet) {
        session.streams.out << "files     " << folder << "/\n";
    }
    return code;
}

Result<Exit> run_issue(Session& session, const IssueArgs& args) {
    if (args.thing.empty() == args.service.empty()) {
        return usage_error("A certificate is for a thing or for a service.",
                           args.thing.empty() ? "Neither was given." : "Both were given.",
                           "iotsky cert issue 7b/otter/weather, or iotsky cert issue --service "
                           "NAME --policy FILE");
    }
    IOTSKY_TRY(api, Api::of(session));
    json::object body;
    IOTSKY_CHECK(put_key(session, body, args.key_type, args.csr));
    if (args.service.empty()) {
        IOTSKY_TRY(path, resolve_thing(api, args.thing));
        if (args.revoke_old) {
            body["revoke_old"] = true;
        }
        return issue(session, api, thing_target(path) + "/certificates", body, args.out,
                     path.substr(path.rfind('/') + 1));
    }
    body["service"] = args.service;
    if (!args.policies.empty()) {
        body["policies"] = json::value_from(args.policies);
    }
    if (!args.policy_file.empty()) {
        IOTSKY_TRY(text, read_input(session, args.policy_file, 256 * 1024));
        boost::system::error_code fault;
        body["policy"] = json::parse(text, fault);
        if (fault) {
            return make_error(Errc::invalid_argument, "E1172",
                              "The file " + args.policy_file + " is not JSON.",
                              fault.message() + ".",
                              "A policy document is a JSON object with Version and Statement.");
        }
    }
    return issue(session, api, "/certificates", body, args.out, args.service);
}

Result<Exit> run_sign(Session& session, const IssueArgs& args) {
    if (args.csr.empty()) {
        return usage_error("There is no certificate request.",
                           "`cert sign` signs a key that stays on the device.",
                           "Add --csr FILE, or let the server make the key: iotsky cert issue");
    }
    return run_issue(session, args);
}

Result<Exit> run_list(Session& session, const ListArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items, api.list("/certificates", {{"class", args.class_name},
                                                 {"thing", args.thing},
                                                 {"status", args.status},
                                                 {"ends_within", args.expiring}}));
    return print_list(session, items, kColumns);
}

Result<Exit> run_show(Session& session, const NameArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(found, api.call("GET", target(certificate_target(args.name))));
    session.globals.output = "wide";
    return print_object(session, found, kColumns);
}

/// The only active certificate of a thing, so that a thing's path can be given where a serial is
/// asked for.
Result<std::string> certificate_of(const Api& api, const std::string& name) {
    if (name.find('/') == std::string::npos) {
        return name;
    }
    IOTSKY_TRY(path, resolve_thing(api, name));
    IOTSKY_TRY(items, api.list("/certificates", {{"thing", path}, {"status", "active"}}));
    if (items.size() != 1) {
        return make_error(items.empty() ? Errc::not_found : Errc::conflict, "E1173",
                          path + " has " + std::to_string(items.size()) + " active certificates.",
                          "It must be clear which one is meant.",
                          "Give its serial number: iotsky cert list --thing " + path);
    }
    return text_at(items[0], "id");
}

Result<Exit> run_renew(Session& session, const RenewArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(name, certificate_of(api, args.name));
    json::object body;
    IOTSKY_CHECK(put_key(session, body, args.key_type, args.csr));
    if (args.revoke_old) {
        body["revoke_old"] = true;
    }
    return issue(session, api, certificate_target(name) + ":renew", body, args.out, "renewed");
}

Result<Exit> run_revoke(Session& session, const RevokeArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(name, certificate_of(api, args.name));
    IOTSKY_TRY(sure, session.confirm("Revoke the certificate of " + args.name +
                                     "? It stays revoked; only a new certificate helps."));
    if (!sure) {
        return Exit::failed;
    }
    json::object body;
    if (!args.reason.empty()) {
        body["reason"] = args.reason;
    }
    IOTSKY_TRY(answer, api.call("POST", target(certificate_target(name) + ":revoke"), body));
    session.globals.output = "wide";
    return print_object(session, answer, kColumns);
}

void add_issue_options(const Verb<IssueArgs>& verb) {
    verb->add_option("THING", verb.args->thing, "class/project/thing");
    verb->add_option("--service", verb.args->service, "A program's identity instead of a thing's");
    verb->add_option("--policy-file,--policy", verb.args->policy_file,
                     "Policy document (JSON) of the service");
    verb->add_option("--attach", verb.args->policies, "Stored policies to attach to the service")
        ->delimiter(',');
    verb->add_option("--out", verb.args->out, "Folder for the files; default: the name");
    verb->add_option("--csr", verb.args->csr, "Certificate request (PEM); - reads it");
    verb->add_flag("--revoke-old", verb.args->revoke_old, "Revoke the thing's other certificates");
}

}  // namespace

void add_cert(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "cert", "Certificates of things and services");
    const auto issue_verb =
        add_verb<IssueArgs>(noun, session, "issue",
                            "One more certificate for a thing, or one for a service", run_issue);
    add_issue_options(issue_verb);
    issue_verb->add_option("--key-type", issue_verb.args->key_type, "p256 (default) or rsa2048")
        ->check(CLI::IsMember({"p256", "rsa2048"}));

    add_issue_options(add_verb<IssueArgs>(noun, session, "sign",
                                          "Certificate for a key made elsewhere", run_sign));

    const auto list = add_verb<ListArgs>(noun, session, "list", "All certificates", run_list);
    list->add_option("--class", list.args->class_name);
    list->add_option("--thing", list.args->thing);
    list->add_option("--status", list.args->status)
        ->check(CLI::IsMember({"active", "suspended", "revoked", "inactive"}));
    list->add_option("--expiring", list.args->expiring, "Ending within, e.g. 30d");

    const auto show = add_verb<NameArgs>(noun, session, "show", "One certificate", run_show);
    show->add_option("CERTIFICATE", show.args->name, "Serial number, fingerprint or id")
        ->required();

    const auto renew =
        add_verb<RenewArgs>(noun, session, "renew", "New certificate; sessions go on", run_renew);
    renew
        ->add_option("CERTIFICATE", renew.args->name,
                     "Serial number, fingerprint, id, or a thing with one")
        ->required();
    renew->add_option("--out", renew.args->out, "Folder for the files; default: renewed");
    renew->add_option("--csr", renew.args->csr, "Certificate request (PEM); - reads it");
    renew->add_option("--key-type", renew.args->key_type)
        ->check(CLI::IsMember({"p256", "rsa2048"}));
    renew->add_flag("--revoke-old", renew.args->revoke_old, "Revoke the old one at once");

    const auto revoke = add_verb<RevokeArgs>(noun, session, "revoke",
                                             "End a certificate and its connections", run_revoke);
    revoke
        ->add_option("CERTIFICATE", revoke.args->name,
                     "Serial number, fingerprint, id, or a thing with one")
        ->required();
    revoke->add_option("--reason", revoke.args->reason)
        ->check(CLI::IsMember({"unspecified", "key_compromise", "lost", "superseded",
                               "affiliation_changed", "cessation_of_operation"}));
}

}  // namespace iotsky::apps::cli
