#include <doctest/doctest.h>

#include <set>

#include "provisioning/roster/csv.hpp"
#include "provisioning/roster/encoding.hpp"
#include "provisioning/roster/pseudonyms.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

namespace {

using Cells = std::vector<std::vector<std::string>>;

Cells cells(std::string_view bytes) {
    Cells all;
    const CsvTable table = parse_csv(bytes).value();
    for (const CsvRow& row : table.rows) {
        all.push_back(row.cells);
    }
    return all;
}

std::vector<std::string> names(std::string_view bytes) {
    std::vector<std::string> all;
    const RosterTable table = parse_roster(bytes).value();
    for (const RosterEntry& entry : table.entries) {
        all.push_back(entry.name);
    }
    return all;
}

RosterResult import(World& world, std::string_view bytes, const RosterOptions& options = {}) {
    return world.registry->roster.import(world.admin, "7b", bytes, options).value();
}

std::string many(std::size_t rows) {
    std::string text = "name\n";
    for (std::size_t i = 0; i < rows; ++i) {
        text += "Pupil " + std::to_string(i) + "\n";
    }
    return text;
}

}  // namespace

TEST_SUITE("provisioning.csv") {
    TEST_CASE("separators, quotes, line endings and blank lines") {
        const Cells expected{{"a", "b"}, {"1", "2"}};
        for (const char* text : {"a,b\n1,2\n", "a;b\r\n1;2\r\n", "a\tb\r1\t2", "a|b\n\n\n1|2\n",
                                 "  a , b \n1,2", "\"a\",\"b\"\n\"1\",2",
                                 "\xef\xbb\xbf"
                                 "a,b\n1,2",
                                 "a,b\n,\n1,2\n\r\n"}) {
            CAPTURE(text);
            CHECK(cells(text) == expected);
        }
        CHECK(cells("\"a;b\";c\n") == Cells{{"a;b", "c"}});
        CHECK(cells("\"a \"\"b\"\"\",c\n") == Cells{{"a \"b\"", "c"}});
        CHECK(cells("\"two\nlines\",c\nx,y") == Cells{{"two\nlines", "c"}, {"x", "y"}});
        CHECK(cells("a;b,c;d\n") == Cells{{"a", "b,c", "d"}});
        CHECK(cells("").empty());
        CHECK(cells("\n\n").empty());
        CHECK(cells("a,,\n") == Cells{{"a", "", ""}});
    }

    TEST_CASE("lines are counted as an editor counts them") {
        const CsvTable table = parse_csv("a\n\n\"x\ny\"\nb\n").value();
        CHECK(table.rows[1].line == 3);
        CHECK(table.rows[2].line == 5);
    }

    TEST_CASE("Windows-1252 is read, UTF-16 and binary refused") {
        CHECK(cells("J\xfcrgen,\x80\n") == Cells{{"Jürgen", "€"}});
        CHECK(cells("J\xc3\xbcrgen\n") == Cells{{"Jürgen"}});
        CHECK(is_utf8(to_utf8(std::string_view{"\x81\xff\xa0", 3}).value()));
        CHECK(parse_csv(std::string_view{"\xff\xfe"
                                         "a\0",
                                         4})
                  .error()
                  .number == "E2125");
        CHECK(parse_csv(std::string_view{"a\0b", 3}).error().number == "E2125");
    }

    TEST_CASE("a quote without its end is told with its line") {
        const auto broken = parse_csv("name\nLena\n\"Tom\nand all the rest\n");
        CHECK(broken.error().number == "E2124");
        CHECK(broken.error().message.find("line 3") != std::string::npos);
    }

    TEST_CASE("too long, too many rows, too many columns are refused") {
        CHECK(parse_csv(std::string(5 * 1024 * 1024 + 1, 'a')).error().number == "E2122");
        CHECK(parse_roster(many(1000)).has_value());
        CHECK(parse_roster(many(1001)).error().number == "E2123");
        CHECK(parse_csv(std::string(65, ',') + "x").error().number == "E2123");
    }

    TEST_CASE("what is written is read back, and no cell is a formula") {
        for (const char* text : {"=1+1", "+49 30", "-x", "@cmd", "a,b", "a\"b", "x\ny", "plain"}) {
            CAPTURE(text);
            const std::string cell = csv_cell(text);
            const std::string first = cells(cell + ",z\n")[0][0];
            CHECK(std::string_view{"=+-@"}.find(first[0]) == std::string_view::npos);
            CHECK((first == text || first == "'" + std::string{text}));
        }
    }

    TEST_CASE("any bytes are read or refused") {
        SeededRandom random(2);
        const std::string_view alphabet = "a,;\t|\"\n\r\xc3\xa4\xff '=";
        for (int round = 0; round < 2000; ++round) {
            std::string text;
            for (std::uint64_t i = random.below(40); i > 0; --i) {
                text += alphabet[random.below(alphabet.size())];
            }
            CAPTURE(text);
            const auto table = parse_roster(text);
            if (!table) {
                CHECK(table.error().number.starts_with("E21"));
                continue;
            }
            for (const RosterEntry& entry : table->entries) {
                CHECK(is_utf8(entry.name));
            }
        }
    }
}

TEST_SUITE("provisioning.roster_table") {
    TEST_CASE("headers are guessed in any order and language, or are not there") {
        const std::vector<std::string> both{"Lena M.", "Tom K."};
        for (const char* text :
             {"name\nLena M.\nTom K.\n", "Name;Projekt\nLena M.;x\nTom K.;y\n",
              "Projekt\tNAME\nx\tLena M.\ny\tTom K.\n", "Lena M.\nTom K.\n",
              "Nachname;Vorname\nM.;Lena\nK.;Tom\n", "first_name,last_name\nLena,M.\nTom,K.\n",
              "SCHÜLER\nLena M.\nTom K.\n", "id,pupil\n1,Lena M.\n2,Tom K.\n"}) {
            CAPTURE(text);
            CHECK(names(text) == both);
        }
    }

    TEST_CASE("the columns that were taken are told") {
        const RosterTable table = parse_roster("Vorname;Team;Nachname\na;b;c\n").value();
        CHECK(table.columns.name == "Vorname + Nachname");
        CHECK(table.columns.project == "Team");
        CHECK_FALSE(table.columns.pseudonym.has_value());
        CHECK(parse_roster("a b\n").value().columns.name == "column 1");
    }

    TEST_CASE("a header without any names is refused") {
        CHECK(parse_roster("project\nx\n").error().number == "E2127");
    }

    TEST_CASE("each wrong row carries its problem, the others go on") {
        const RosterTable table =
            parse_roster(
                "name,pseudonym,project\n,,\nLena,,\n,,p\nTom,to m,\nKim,kim,a/b\n"
                "\"a\tb\",x,y\n")
                .value();
        std::vector<std::string> numbers;
        for (const RosterEntry& entry : table.entries) {
            numbers.push_back(entry.problem_number);
        }
        CHECK(numbers == std::vector<std::string>{"", "E2126", "E2129", "E2130", "E2128"});
    }
}

TEST_SUITE("provisioning.roster") {
    TEST_CASE("a roster makes students, projects and things with keys for the caller alone") {
        World world;
        RosterOptions options;
        options.thing = "weather";
        const RosterResult result = import(world, "Name\nLena M.\nTom K.\n", options);
        CHECK(result.created == 2);
        REQUIRE(result.rows.size() == 2);
        for (const RosterRow& row : result.rows) {
            CHECK(row.outcome == RosterOutcome::created);
            CHECK(row.project == row.student);
            CHECK(row.thing == "7b/" + row.student + "/weather");
            CHECK(row.private_key->view() == "key of " + row.certificate->serial);
            CHECK(world.registry->things.show(world.admin, *row.thing).has_value());
            CHECK(world.registry->projects.show(world.admin, "7b", row.project).value().students ==
                  std::vector<std::string>{row.student});
        }
        CHECK(result.rows[0].student != result.rows[1].student);
        const auto shown =
            world.registry->students.show(world.admin, "7b", result.rows[0].student).value();
        CHECK(shown.record.real_name == "Lena M.");
        CHECK(world.events("student.created") == 2);
        CHECK(world.events("thing.provisioned") == 2);
    }

    TEST_CASE("a dry run tells the same and changes nothing") {
        World world;
        const std::string before = world.dump();
        RosterOptions options;
        options.thing = "weather";
        options.dry_run = true;
        const RosterResult planned = import(world, "name\nLena M.\n\nTom K.\n", options);
        CHECK(world.dump() == before);
        CHECK(world.issuer.issued == 0);
        options.dry_run = false;
        const RosterResult made = import(world, "name\nLena M.\n\nTom K.\n", options);
        REQUIRE(planned.rows.size() == made.rows.size());
        for (std::size_t i = 0; i < made.rows.size(); ++i) {
            CHECK(planned.rows[i].student == made.rows[i].student);
            CHECK(planned.rows[i].outcome == made.rows[i].outcome);
            CHECK(planned.rows[i].line == made.rows[i].line);
        }
        CHECK(made.rows[1].line == 4);
    }

    TEST_CASE("the same file again changes nothing; with --thing it adds what is missing") {
        World world;
        const char* file = "name\nLena M.\nTom K.\nLena M.\n";
        CHECK(import(world, file).created == 3);
        const std::string before = world.dump();
        const RosterResult again = import(world, file);
        CHECK(again.existing == 3);
        CHECK(world.dump() == before);
        RosterOptions options;
        options.thing = "weather";
        const RosterResult things = import(world, file, options);
        CHECK(things.created == 3);
        CHECK(world.registry->students.list(world.admin, "7b", {}).value().items.size() == 3);
        CHECK(import(world, file, options).existing == 3);
    }

    TEST_CASE("one name twice: both are kept and the teacher is told") {
        World world;
        const RosterResult result = import(world, "name\nLena M.\nTom\nLena M.\n");
        CHECK(result.created == 3);
        CHECK(result.rows[2].number == "W2101");
        CHECK(result.rows[2].message.find("lines 2 and 4") != std::string::npos);
        CHECK(result.rows[2].student != result.rows[0].student);
    }

    TEST_CASE("pseudonyms of the file are used; twice the same is a problem") {
        World world;
        const RosterResult result = import(world, "pseudonym,name\nfox,Lena\nfox,Tom\nowl,\n");
        CHECK(result.created == 2);
        CHECK(result.rows[0].student == "fox");
        CHECK(result.rows[1].number == "E2131");
        CHECK(result.rows[2].student == "owl");
    }

    TEST_CASE("a group shares a project and its thing") {
        World world;
        RosterOptions options;
        options.thing = "station";
        const RosterResult result =
            import(world, "name,team\nLena,alpha\nTom,alpha\nKim,beta\n", options);
        CHECK(result.created == 3);
        CHECK(world.issuer.issued == 2);
        CHECK(world.registry->projects.show(world.admin, "7b", "alpha").value().students.size() ==
              2);
        CHECK_FALSE(result.rows[1].certificate.has_value());
    }

    TEST_CASE("shared places of the class are no projects") {
        World world;
        const RosterResult result = import(world, "name,project\nLena,board\nTom,ok\n");
        CHECK(result.rows[0].number == "E2113");
        CHECK(result.created == 1);
    }

    TEST_CASE("an import can be done in parts and goes on where it was left") {
        World world;
        const std::string file = many(250);
        RosterOptions options;
        std::size_t created = 0;
        std::size_t calls = 0;
        for (std::size_t first = 1;;) {
            options.first = first;
            options.count = 100;
            const RosterResult part = import(world, file, options);
            CHECK(part.rows_total == 250);
            created += part.created;
            ++calls;
            if (!part.next) {
                break;
            }
            first = *part.next;
        }
        CHECK(calls == 3);
        CHECK(created == 250);
        CHECK(import(world, file).existing == 250);
    }

    TEST_CASE("a chunk that fails leaves nothing, the others stand, the next try goes on") {
        World world;
        RosterOptions options;
        options.thing = "weather";
        // The CA breaks down after the first chunk.
        options.progress = [&](std::size_t done, std::size_t) {
            world.issuer.broken = done == 100;
        };
        const RosterResult result = import(world, many(250), options);
        CHECK(result.created == 150);
        CHECK(result.problems == 100);
        CHECK(result.rows[150].number == "E5214");
        CHECK(world.registry->students.list(world.admin, "7b", {{}, 1000}).value().items.size() ==
              150);
        options.progress = {};
        const RosterResult again = import(world, many(250), options);
        CHECK(again.created == 100);
        CHECK(again.existing == 150);
    }

    TEST_CASE("names can stay out of the registry") {
        World world;
        RosterOptions options;
        options.keep_real_names = false;
        const RosterResult result = import(world, "name\nLena M.\n", options);
        CHECK_FALSE(world.registry->students.show(world.admin, "7b", result.rows[0].student)
                        .value()
                        .record.real_name.has_value());
    }

    TEST_CASE("an export can be imported again and is safe in a spreadsheet") {
        World world;
        import(world, "name\n=cmd|x!A1\n\"Lena, M.\"\n");
        const std::string file = world.registry->roster.export_csv(world.admin, "7b").value();
        CHECK(file.find("\n=") == std::string::npos);
        CHECK(file.find(",=") == std::string::npos);
        CHECK(file.find("'=cmd") != std::string::npos);
        CHECK(import(world, file).existing == 2);
    }

    TEST_CASE("an empty file is no error") {
        World world;
        const RosterResult result = import(world, "");
        CHECK(result.rows_total == 0);
        CHECK(result.rows.empty());
    }

    TEST_CASE("a first row beyond the end is an empty answer") {
        World world;
        RosterOptions options;
        options.first = 50;
        CHECK(import(world, "name\nLena\n", options).rows.empty());
    }

    TEST_CASE("animal names are handed out once, then with numbers, and fit everywhere") {
        Pseudonyms pseudonyms(5);
        pseudonyms.take("otter");
        std::set<std::string> given;
        for (int i = 0; i < 1000; ++i) {
            const std::string name = pseudonyms.next();
            CHECK(name != "otter");
            CHECK(name.size() <= 20);
            CHECK(given.insert(name).second);
        }
    }
}
