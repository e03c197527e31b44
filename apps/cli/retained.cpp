#include <boost/json.hpp>

#include "apps/cli/api.hpp"
#include "apps/cli/nouns.hpp"
#include "apps/cli/table.hpp"
#include "apps/cli/verb.hpp"

namespace iotsky::apps::cli {
namespace {

struct FilterArgs {
    std::string filter = "#";
};

const std::vector<Column> kColumns{{"TOPIC", "topic"},
                                   {"QOS", "qos"},
                                   {"BYTES", "bytes"},
                                   {"STORED", "stored_at"},
                                   {"PAYLOAD (BASE64)", "payload_base64", true}};

Result<Exit> run_list(Session& session, const FilterArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    IOTSKY_TRY(items, api.list("/retained", {{"filter", args.filter}}));
    return print_list(session, items, kColumns);
}

Result<Exit> run_delete(Session& session, const FilterArgs& args) {
    IOTSKY_TRY(api, Api::of(session));
    if (!session.globals.dry_run) {
        IOTSKY_TRY(sure,
                   session.confirm("Delete the retained messages of \"" + args.filter + "\"?"));
        if (!sure) {
            return Exit::failed;
        }
    }
    IOTSKY_TRY(answer,
               api.call("DELETE",
                        target("/retained", {{"filter", args.filter},
                                             {"dry_run", session.globals.dry_run ? "true" : ""}})));
    return print_object(session, answer, {{"DELETED", "deleted"}, {"DRY RUN", "dry_run"}});
}

}  // namespace

void add_retained(CLI::App& app, Session& session) {
    CLI::App& noun = add_noun(app, "retained", "Retained messages");
    const auto list =
        add_verb<FilterArgs>(noun, session, "list", "Those that a filter matches", run_list);
    list->add_option("FILTER", list.args->filter, "Topic filter; default #");
    const auto remove = add_verb<FilterArgs>(noun, session, "delete",
                                             "Delete those that a filter matches", run_delete);
    remove->add_option("FILTER", remove.args->filter)->required();
}

}  // namespace iotsky::apps::cli
