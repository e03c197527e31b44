#include <boost/json.hpp>
#include <iostream>

#include "apps/cli/api.hpp"
#include "apps/cli/bundles.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/progress.hpp"
#include "apps/cli/verb.hpp"
#include "apps/files.hpp"

namespace iotsky::apps::cli {

namespace json = boost::json;

std::filesystem::path bundle_file(const std::filesystem::path& folder, std::string_view path) {
    std::string name{path};
    const std::size_t slash = name.find('/');
    name = slash == std::string::npos ? name : name.substr(slash + 1);
    for (char& c : name) {
        // Slashes part the path; a classless name may also hold a colon, which some file systems
        // refuse.
        c = c == '/' || c == ':' ? '-' : c;
    }
    return folder / (name + ".zip");
}

Result<void> make_bundle(const Api& api, const std::string& path, const BundleOptions& options,
                         const std::filesystem::path& file) {
    HttpRequest request;
    request.method = "POST";
    request.target = target(thing_target(path) + "/bundle");
    json::object body;
    if (options.revoke_old) {
        body["revoke_old"] = true;
    }
    if (!options.key_type.empty()) {
        body["key_type"] = options.key_type;
    }
    if (!options.wifi.empty()) {
        body["wifi_ssid"] = options.wifi;
    }
    request.body = json::serialize(body);
    if (std::filesystem::exists(file)) {
        return make_error(Errc::already_exists, "E1164", file.string() + " exists already.",
                          "A bundle holds a key and is never overwritten; nothing was issued.",
                          "Give another folder with --out, or move the old file away.");
    }
    IOTSKY_TRY(zip, api.raw(request));
    return write_new(file, zip, 0600);
}

namespace {

struct MakeArgs {
    std::string what;
    std::string out = ".";
    BundleOptions options;
};

Result<std::vector<std::string>> things_of(const Api& api, const std::string& what) {
    std::vector<std::string> paths;
    if (what.find('/') == std::string::npos) {
        const auto found = api.call("GET", target("/classes/" + encode(what)));
        if (found) {
            IOTSKY_TRY(items, api.list("/things", {{"class", what}}));
            for (const json::value& item : items) {
                paths.push_back(text_at(item, "path"));
            }
            return paths;
        }
    }
    IOTSKY_TRY(path, resolve_thing(api, what));
    paths.push_back(std::move(path));
    return paths;
}

Result<Exit> run_make(Session& session, const MakeArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(paths, things_of(api, args.what));
    if (session.globals.dry_run) {
        for (const std::string& path : paths) {
            session.streams.out << "would issue a certificate for " << path << "\n";
        }
        session.streams.out << "nothing changed (dry run)\n";
        return Exit::done;
    }
    IOTSKY_CHECK(make_folder(args.out));
    Progress progress{session};
    std::size_t made = 0;
    std::size_t failed = 0;
    Error last;
    for (const std::string& path : paths) {
        const std::filesystem::path file = bundle_file(args.out, path);
        if (auto done = make_bundle(api, path, args.options, file); !done) {
            ++failed;
            last = std::move(done).error();
            session.streams.err << path << ":\n";
            session.print(last);
        } else {
            ++made;
            if (!session.globals.quiet && !session.globals.jsonl) {
                session.streams.out << file.string() << "\n";
            }
        }
        if (paths.size() > 1) {
            progress.at(made + failed, paths.size());
        }
    }
    return failed == 0 ? Exit::done : made == 0 ? exit_for(last) : Exit::partly;
}

}  // namespace

void add_bundle(CLI::App& app, Session& session) {
    CLI::App& noun =
        add_noun(app, "bundle", "Zip files with certificate, key and code that works unedited");
    const auto make = add_verb<MakeArgs>(
        noun, session, "make", "Issue fresh certificates and pack them, one zip a thing", run_make);
    make->add_option("THING|CLASS", make.args->what, "One thing, or all things of a class")
        ->required();
    make->add_option("--out", make.args->out, "Folder for the zip files");
    make->add_option("--key-type", make.args->options.key_type)
        ->check(CLI::IsMember({"p256", "rsa2048"}));
    make->add_option("--wifi", make.args->options.wifi, "Wi-Fi name to fill into the samples");
    make->add_flag("--revoke-old", make.args->options.revoke_old,
                   "Revoke the things' other certificates");
}

}  // namespace iotsky::apps::cli
