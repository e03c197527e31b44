#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "apps/files.hpp"
#include "base/secret.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

struct NoArgs {};
struct ExportArgs {
    std::string what;
    std::string out;
    std::string passphrase_file;
    bool remove = false;
};
struct CrlArgs {
    std::string out;
    bool der = false;
};

Result<Exit> run_show(Session& session, const NoArgs&) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(found, api.call("GET", target("/ca")));
    if (session.globals.json || session.globals.jsonl) {
        session.streams.out << json::serialize(found) << "\n";
        return Exit::done;
    }
    json::array rows;
    for (const auto& entry : found.as_object()) {
        json::object row = entry.value().as_object();
        row["role"] = entry.key();
        rows.emplace_back(std::move(row));
    }
    return print_list(session, rows,
                      {{"CA", "role"},
                       {"SUBJECT", "subject"},
                       {"UNTIL", "not_after"},
                       {"KEY HERE", "key_on_this_machine"},
                       {"SHA-256", "fingerprint"}});
}

/// "-": standard output; else a new file.
Result<Exit> deliver(Session& session, const std::string& out, std::string_view content,
                     mode_t mode) {
    if (out.empty() || out == "-") {
        session.streams.out << content;
        return Exit::done;
    }
    IOTSKY_CHECK(write_new(out, content, mode));
    session.streams.err << "wrote " << out << "\n";
    return Exit::done;
}

Result<Exit> run_export_certificate(Session& session, const Api& api, const ExportArgs& args) {
    HttpRequest request;
    request.target = "/ca.crt";
    IOTSKY_TRY(pem, api.raw(request));
    return deliver(session, args.out, pem, 0644);
}

/// The words of files and messages ("server-ca") as the API has them ("server").
std::string api_role(const std::string& word) {
    if (word == "root") {
        return "device-root";
    }
    return word == "server-ca" ? "server" : word == "server-ca-next" ? "server-next" : word;
}

Result<Exit> run_export(Session& session, const ExportArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    if (args.what == "certificate") {
        return run_export_certificate(session, api, args);
    }
    const std::string role = api_role(args.what);
    if (args.passphrase_file.empty() || args.out.empty()) {
        return usage_error("A root's key leaves this machine encrypted, into a file.",
                           "Whoever has it can make identities.",
                           "Give --passphrase-file FILE and --out FILE.");
    }
    IOTSKY_TRY(text, read_input(session, args.passphrase_file, 4096));
    std::string passphrase = text.substr(0, text.find('\n'));
    wipe(text);
    if (args.remove) {
        IOTSKY_TRY(sure,
                   session.confirm_name(
                       "Delete the key of " + role + " from this machine after the export?", role));
        if (!sure) {
            return Exit::failed;
        }
    }
    // Written first without deleting: a full disk must not cost the only key.
    IOTSKY_TRY(answer,
               api.call("POST", target("/ca/" + role + ":export"), {{"passphrase", passphrase}}));
    IOTSKY_TRY(code, deliver(session, args.out, text_at(answer, "pem"), 0600));
    if (args.remove) {
        IOTSKY_TRY(removed, api.call("POST", target("/ca/" + role + ":export"),
                                     {{"passphrase", passphrase}, {"delete", true}}));
        session.streams.err << "the key of " << role << " is not on this machine any more\n";
    }
    wipe(passphrase);
    return code;
}

Result<Exit> run_crl(Session& session, const CrlArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    HttpRequest request;
    request.target = target("/ca/crl", {{"format", args.der ? "" : "pem"}});
    IOTSKY_TRY(crl, api.raw(request));
    return deliver(session, args.out, crl, 0644);
}

}  // namespace

void add_ca(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "ca", "The certification authorities");
    add_verb<NoArgs>(noun, session, "show", "All four with fingerprints", run_show);

    const auto save = add_verb<ExportArgs>(
        noun, session, "export",
        "What devices must trust (certificate), or a root's key for a safe place", run_export);
    save->add_option("WHAT", save.args->what,
                     "certificate, root (of devices), server or server-next")
        ->required()
        ->check(CLI::IsMember({"certificate", "root", "device-root", "server", "server-next",
                               "server-ca", "server-ca-next"}));
    save->add_option("--out", save.args->out, "File; default: standard output for the certificate");
    save->add_option("--passphrase-file", save.args->passphrase_file, "Encrypts an exported key");
    save->add_flag("--delete", save.args->remove, "Take the key off this machine afterwards");

    const auto crl =
        add_verb<CrlArgs>(noun, session, "crl", "The list of revoked certificates", run_crl);
    crl->add_option("--out", crl.args->out, "File; default: standard output");
    crl->add_flag("--der", crl.args->der, "DER instead of PEM");
}

}  // namespace iotsky::apps::cli
