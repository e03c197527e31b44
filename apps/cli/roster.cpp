#include <openssl/sha.h>

#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "apps/cli/api.hpp"
#include "apps/cli/bundles.hpp"
#include "apps/cli/names.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/progress.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"
#include "apps/files.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kRosterBytesMax = 5U << 20U;
constexpr const char* kChunkRows = "100";

struct ImportArgs {
    std::string class_name;
    std::string file;
    std::string thing;
    std::string bundles;
    std::string key_type;
    std::string result_file;
};

/// What is known of an import that goes on: kept in the result file after every chunk.
struct Import {
    std::string digest;     ///< of class, thing and file: only the same import is resumed
    std::size_t first = 1;  ///< next row to send; 0 when all were
    std::size_t total = 0;
    std::size_t created = 0;
    std::size_t existing = 0;
    std::size_t problems = 0;
    json::array rows;  ///< as the API told them, "bundle" added; never a key or ticket
};

std::string digest_of(const ImportArgs& args, const std::string& csv) {
    const std::string all = args.class_name + '\0' + args.thing + '\0' + csv;
    std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(all.data()), all.size(), digest.data());
    return to_hex(digest);
}

std::size_t number_at(const json::object& object, std::string_view key) {
    const json::value* value = object.if_contains(key);
    return value != nullptr && value->is_int64() && value->get_int64() > 0
               ? static_cast<std::size_t>(value->get_int64())
               : 0;
}

json::object to_json(const Import& import) {
    return {{"digest", import.digest},       {"next", import.first},
            {"total", import.total},         {"created", import.created},
            {"existing", import.existing},   {"problems", import.problems},
            {"complete", import.first == 0}, {"rows", import.rows}};
}

/// The state of an earlier run of the same import that did not finish; else a fresh one.
Import resume_from(const std::filesystem::path& file, std::string digest) {
    Import import;
    import.digest = std::move(digest);
    std::ifstream in{file};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    boost::system::error_code fault;
    const json::value stored = json::parse(text, fault);
    const json::object* object = fault ? nullptr : stored.if_object();
    if (object == nullptr || text_at(stored, "digest") != import.digest ||
        number_at(*object, "next") == 0) {
        return import;
    }
    import.first = number_at(*object, "next");
    import.total = number_at(*object, "total");
    import.created = number_at(*object, "created");
    import.existing = number_at(*object, "existing");
    import.problems = number_at(*object, "problems");
    if (const json::value* rows = object->if_contains("rows");
        rows != nullptr && rows->is_array()) {
        import.rows = rows->get_array();
    }
    return import;
}

/// One zip per student; a student's second thing gets its own name.
Result<void> fetch_bundle(const Api& api, const ImportArgs& args, json::object& row) {
    const std::string thing = text_at(row, "thing");
    const std::filesystem::path file = bundle_file(args.bundles, thing);
    HttpRequest request;
    request.target = text_at(row, "bundle_url");
    IOTSKY_TRY(zip, api.raw(request));
    IOTSKY_CHECK(write_new(file, zip, 0600));
    row["bundle"] = file.string();
    return {};
}

/// Of rows that an interrupted run created without getting their bundle: the key of that call is
/// gone, so a fresh certificate takes its place.
Result<void> remake_bundle(const Api& api, const ImportArgs& args, json::object& row) {
    const std::string thing = text_at(row, "thing");
    const std::filesystem::path file = bundle_file(args.bundles, thing);
    IOTSKY_CHECK(make_bundle(api, thing, {args.key_type, "", true}, file));
    row["bundle"] = file.string();
    return {};
}

Result<json::value> send_chunk(const Session& session, const Api& api, const ImportArgs& args,
                               const Import& import, const std::string& csv) {
    HttpRequest request;
    request.method = "POST";
    request.target = target("/classes/" + encode(args.class_name) + "/roster",
                            {{"dry_run", session.globals.dry_run ? "true" : ""},
                             {"thing", args.thing},
                             {"key_type", args.key_type},
                             {"first", std::to_string(import.first)},
                             {"count", kChunkRows}});
    request.content_type = "text/csv";
    request.body = csv;
    auto text = api.raw(request);
    if (!text) {
        return with_nearest(std::move(text).error(), api, "/classes", "name", args.class_name);
    }
    boost::system::error_code fault;
    json::value answer = json::parse(*text, fault);
    if (fault || !answer.is_object()) {
        return make_error(Errc::io, "E1169", "The answer to a part of the roster cannot be read.",
                          fault.message() + ".",
                          "Run the command again; it goes on where it stopped.");
    }
    return answer;
}

void add_summary(Import& import, const json::object& answer) {
    import.total = number_at(answer, "rows_total");
    import.first = number_at(answer, "next");
    if (const json::value* summary = answer.if_contains("summary");
        summary != nullptr && summary->is_object()) {
        import.created += number_at(summary->get_object(), "created");
        import.existing += number_at(summary->get_object(), "existing");
        import.problems += number_at(summary->get_object(), "problems");
    }
}

/// One run of the verb. Confined to its caller.
class Importer {
  public:
    Importer(Session& session, Api api, const ImportArgs& args)
        : session_(session),
          api_(std::move(api)),
          args_(args),
          result_file_(args.result_file.empty() ? args.file + ".result.json" : args.result_file) {}

    Result<Exit> run();

  private:
    Result<void> chunk(const std::string& csv);
    Result<void> keep();
    Result<void> missing_bundles();
    Result<Exit> report();
    [[nodiscard]] bool wants_bundles() const {
        return !args_.bundles.empty() && !session_.globals.dry_run;
    }

    Session& session_;
    Api api_;
    const ImportArgs& args_;
    std::filesystem::path result_file_;
    Import import_;
    std::size_t bundles_failed_ = 0;
};

Result<void> Importer::keep() {
    return session_.globals.dry_run
               ? Result<void>{}
               : write_atomically(result_file_, json::serialize(to_json(import_)) + "\n", 0600);
}

Result<void> Importer::chunk(const std::string& csv) {
    IOTSKY_TRY(answer, send_chunk(session_, api_, args_, import_, csv));
    add_summary(import_, answer.as_object());
    const std::size_t before = import_.rows.size();
    if (json::value* rows = answer.as_object().if_contains("rows");
        rows != nullptr && rows->is_array()) {
        for (json::value& row : rows->get_array()) {
            import_.rows.push_back(row);
        }
    }
    // Kept before the bundles are fetched: a crash here must not import the rows again.
    json::array with_tickets = import_.rows;
    for (json::value& row : import_.rows) {
        row.as_object().erase("bundle_url");
    }
    IOTSKY_CHECK(keep());
    if (!wants_bundles()) {
        return {};
    }
    for (std::size_t i = before; i < import_.rows.size(); ++i) {
        json::object row = with_tickets[i].as_object();
        if (text_at(row, "bundle_url").empty()) {
            continue;
        }
        if (auto fetched = fetch_bundle(api_, args_, row); !fetched) {
            session_.print(fetched.error());
            ++bundles_failed_;
            continue;
        }
        row.erase("bundle_url");
        import_.rows[i] = std::move(row);
    }
    return keep();
}

Result<void> Importer::missing_bundles() {
    for (json::value& entry : import_.rows) {
        json::object& row = entry.as_object();
        if (text_at(row, "result") != "created" || text_at(row, "thing").empty() ||
            !text_at(row, "bundle").empty()) {
            continue;
        }
        IOTSKY_CHECK(remake_bundle(api_, args_, row));
        IOTSKY_CHECK(keep());
    }
    return {};
}

Result<Exit> Importer::report() {
    std::ostream& out = session_.streams.out;
    if (session_.globals.json || session_.globals.jsonl) {
        out << json::serialize(to_json(import_)) << "\n";
    } else {
        json::array problems;
        for (const json::value& row : import_.rows) {
            if (text_at(row, "result") == "problem" || !text_at(row, "code").empty()) {
                problems.push_back(row);
            }
        }
        if (!problems.empty()) {
            IOTSKY_CHECK(print_list(session_, problems,
                                    {{"LINE", "line"},
                                     {"RESULT", "result"},
                                     {"CODE", "code"},
                                     {"MESSAGE", "message"}}));
        }
        out << import_.total << " rows: " << import_.created
            << (session_.globals.dry_run ? " would be new, " : " new, ") << import_.existing
            << " already there, " << import_.problems << " problems\n";
        if (session_.globals.dry_run) {
            out << "nothing changed (dry run)\n";
        } else if (wants_bundles()) {
            out << "bundles in " << args_.bundles << "/  (the keys are there and nowhere else)\n";
        }
    }
    return import_.problems == 0 && bundles_failed_ == 0 ? Exit::done : Exit::partly;
}

Result<Exit> Importer::run() {
    IOTSKY_TRY(csv, read_input(session_, args_.file, kRosterBytesMax));
    if (wants_bundles()) {
        IOTSKY_CHECK(make_folder(args_.bundles));
    }
    import_ =
        session_.globals.dry_run ? Import{} : resume_from(result_file_, digest_of(args_, csv));
    import_.digest = digest_of(args_, csv);
    if (import_.first > 1) {
        session_.streams.err << "going on at row " << import_.first
                             << " of an interrupted import\n";
        if (wants_bundles()) {
            IOTSKY_CHECK(missing_bundles());
        }
    }
    Progress progress{session_};
    while (import_.first != 0) {
        IOTSKY_CHECK(chunk(csv));
        progress.at(import_.first == 0 ? import_.total : import_.first - 1, import_.total);
    }
    return report();
}

Result<Exit> run_import(Session& session, const ImportArgs& args) {
    if (!args.bundles.empty() && args.thing.empty()) {
        return usage_error("Bundles need things.", "A bundle holds the certificate of one thing.",
                           "Add --thing NAME to make one for each student.");
    }
    if (args.file == "-" && args.result_file.empty() && !session.globals.dry_run) {
        return usage_error("Standard input needs a place for the result.",
                           "An interrupted import goes on from there.", "Add --result FILE.");
    }
    IOTSKY_TRY(api, Api::of(session));
    return Importer{session, std::move(api), args}.run();
}

}  // namespace

void add_roster(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "roster", "A class's students from a table");
    const auto verb = add_verb<ImportArgs>(
        noun, session, "import",
        "Make students, projects and things from a CSV; goes on after an interruption", run_import);
    verb->add_option("CLASS", verb.args->class_name)->required();
    verb->add_option("FILE", verb.args->file, "CSV of any separator and column order; - reads it")
        ->required();
    verb->add_option("--thing", verb.args->thing,
                     "Also make a thing of this name with a certificate for each student");
    verb->add_option("--bundles", verb.args->bundles,
                     "Folder for one zip per student with key and code");
    verb->add_option("--key-type", verb.args->key_type)->check(CLI::IsMember({"p256", "rsa2048"}));
    verb->add_option("--result", verb.args->result_file,
                     "Where to note what was done; default FILE.result.json");
}

}  // namespace iotsky::apps::cli
