#include <iostream>

#include "apps/cli/nouns.hpp"
#include "apps/cli/program.hpp"
#include "apps/cli/verb.hpp"
#include "apps/help/pages.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

struct Args {
    std::string number;
    bool reference = false;
};

Result<Exit> run(Session& session, const Args& args) {
    std::ostream& out = session.streams.out;
    if (args.reference) {
        out << cli_reference();
        return Exit::done;
    }
    if (args.number.empty()) {
        for (const HelpPage& page : help_pages()) {
            out << page.number << "  " << page.title << "\n";
        }
        out << "\niotsky help E1101 shows one page; iotsky --help lists the commands.\n";
        return Exit::done;
    }
    const HelpPage* page = find_page(args.number);
    if (page == nullptr) {
        return make_error(
            Errc::not_found, "E1174", "There is no page \"" + escape(args.number, 20) + "\".",
            "Pages have the numbers that errors show, such as E1101.", "iotsky help lists all.");
    }
    out << page->number << "  " << page->title << "\n\n" << page->text << "\n";
    return Exit::done;
}

}  // namespace

void add_help(CLI::App& app, Session& session) {
    const auto verb = add_verb<Args>(app, session, "help",
                                     "What an error's number means; without one, the list", run);
    verb->add_option("NUMBER", verb.args->number, "For example E3101");
    verb->add_flag("--reference", verb.args->reference, "The reference of all commands (Markdown)");
}

}  // namespace iotsky::apps::cli
