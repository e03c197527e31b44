// A restore that fails, or is killed, at each of its steps in turn.
#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "apps/backup/restore.hpp"
#include "tests/unit/apps/backup_home.hpp"
#include "tests/unit/apps/failing_steps.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;

namespace {

constexpr int kStepsMax = 1'000;  // a sweep that reaches it never ends
using Tree = std::map<std::string, std::string>;

/// All files of a data folder with their content, but for the lock and what was there before.
Tree tree_of(const fs::path& folder) {
    Tree tree;
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
        const std::string name = entry.path().lexically_relative(folder).string();
        if (entry.is_regular_file() && name != "lock" && !name.starts_with("before-restore-")) {
            tree[name] = slurp(entry.path());
        }
    }
    return tree;
}

bool is_temporary(const std::string& name) {
    return name.starts_with("restore.json.");  // never had its name
}

/// One backup, one data folder with other data, and what both look like.
struct Places {
    Home home;
    Home other{"8a"};
    Tree old_data;
    Tree new_data;
    backup::Unpacked content;

    Places() {
        REQUIRE(home.back_up("").has_value());
        old_data = tree_of(other.data());
        unpack();
        const fs::path data = fresh_copy();
        REQUIRE(backup::put_in_place(data, staged(data), home.clock.wall_now()).has_value());
        new_data = tree_of(data);
        REQUIRE(new_data != old_data);
    }
    void unpack() {
        const auto ready = backup::stage(home.folder.path(), {home.file(), {}, {}, false},
                                         home.clock.wall_now(), home.random);
        REQUIRE_MESSAGE(ready.has_value(), ready.error());
        content = ready->content;
        fs::copy(ready->folder.path(), unpacked(), fs::copy_options::recursive);
    }
    [[nodiscard]] fs::path unpacked() const { return home.folder.path() / "unpacked"; }
    [[nodiscard]] fs::path fresh_copy() const {
        const fs::path data = home.folder.path() / "copy";
        fs::remove_all(data);
        fs::copy(other.data(), data, fs::copy_options::recursive);
        return data;
    }
    /// As stage() makes it; unpacked and checked once, for there are many steps.
    [[nodiscard]] backup::Staged staged(const fs::path& data) const {
        auto folder = ScratchFolder::make(data);
        REQUIRE_MESSAGE(folder.has_value(), folder.error());
        fs::copy(unpacked(), folder->path(), fs::copy_options::recursive);
        return {std::move(*folder), content, {}};
    }
    /// Restores in a process of its own that the n-th step kills. @return whether it came so far.
    bool killed_at(int n, const fs::path& data) {
        backup::Staged ready = staged(data);
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            const FailingSteps steps{n, Fate::kills};
            const auto done = backup::put_in_place(data, std::move(ready), home.clock.wall_now());
            ::_exit(done ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        ready.folder.release();  // the other process had it
        REQUIRE(WIFEXITED(status));
        REQUIRE(WEXITSTATUS(status) != 1);
        return WEXITSTATUS(status) == 9;
    }
    /// A folder whose restore was killed when something of it had moved.
    fs::path half_restored() {
        for (int n = 0; n < kStepsMax; ++n) {
            fs::path data = fresh_copy();
            REQUIRE(killed_at(n, data));
            if (fs::exists(data / "restore.json") && !fs::exists(data / "registry.db")) {
                return data;
            }
        }
        FAIL("nothing moves");
        return {};
    }
    /// The old data or the new ones, whole, and nothing else.
    void check_whole(const fs::path& data) const {
        Tree found = tree_of(data);
        std::erase_if(found, [](const auto& file) { return is_temporary(file.first); });
        CHECK((found == old_data || found == new_data));
        CHECK_FALSE(fs::exists(data / "restore.json"));
    }
};

}  // namespace

TEST_SUITE("apps.restore") {
    TEST_CASE("whichever step of a restore fails, the data are the old ones or the new ones") {
        Places places;
        for (const Fate fate : {Fate::fails, Fate::fails_for_good}) {
            bool struck = true;
            int taken_back = 0;
            for (int n = 0; struck; ++n) {
                CAPTURE(n);
                REQUIRE(n < kStepsMax);
                const fs::path data = places.fresh_copy();
                backup::Staged staged = places.staged(data);
                std::optional<Result<backup::Restored>> done;
                {
                    const FailingSteps steps{n, fate};
                    done =
                        backup::put_in_place(data, std::move(staged), places.home.clock.wall_now());
                    struck = steps.struck();
                }
                if (!*done) {
                    CAPTURE(done->error());
                    const std::string& number = done->error().number;
                    CHECK((number == "E5109" || number == "E1161"));
                    if (done->error().message.find("taken back") != std::string::npos) {
                        ++taken_back;
                        CHECK(tree_of(data) == places.old_data);
                    }
                }
                const auto finished = backup::finish_restore(data);
                CHECK_MESSAGE(finished.has_value(), finished.error());
                places.check_whole(data);
                if (*done) {
                    CHECK(tree_of(data) == places.new_data);
                }
            }
            CAPTURE(taken_back);
            CHECK((fate == Fate::fails_for_good || taken_back > 15));
        }
    }

    TEST_CASE("a restore that is killed at any step is finished, or never was, at the next start") {
        Places places;
        int finished_later = 0;
        for (int n = 0;; ++n) {
            CAPTURE(n);
            REQUIRE(n < kStepsMax);
            const fs::path data = places.fresh_copy();
            const bool killed = places.killed_at(n, data);
            const auto finished = backup::finish_restore(data);
            REQUIRE_MESSAGE(finished.has_value(), finished.error());
            places.check_whole(data);
            if (*finished) {
                ++finished_later;
                CHECK(tree_of(data) == places.new_data);
            }
            if (!killed) {
                CHECK(tree_of(data) == places.new_data);
                break;
            }
        }
        CHECK(finished_later > 15);
    }

    TEST_CASE("a restore that was killed and whose files are gone is taken back, and told once") {
        Places places;
        int taken_back = 0;
        bool killed = true;
        for (int n = 0; killed; ++n) {
            CAPTURE(n);
            REQUIRE(n < kStepsMax);
            const fs::path data = places.fresh_copy();
            killed = places.killed_at(n, data);
            for (const std::string& name : entries(data)) {
                if (name.starts_with(".iotsky-scratch-")) {
                    fs::remove_all(data / name);
                }
            }
            if (const auto finished = backup::finish_restore(data); !finished) {
                ++taken_back;
                CHECK(finished.error().number == "E5109");
                CHECK(finished.error().message.find("taken back") != std::string::npos);
                CHECK(tree_of(data) == places.old_data);
            }
            CHECK(backup::finish_restore(data).has_value());
            places.check_whole(data);
        }
        CHECK(taken_back > 10);
    }

    TEST_CASE("a restore is killed while another one is finished, and the next start finishes it") {
        Places places;
        bool killed = true;
        for (int n = 0; killed; ++n) {
            CAPTURE(n);
            REQUIRE(n < kStepsMax);
            const fs::path data = places.half_restored();
            const pid_t child = ::fork();
            REQUIRE(child >= 0);
            if (child == 0) {
                const FailingSteps steps{n, Fate::kills};
                ::_exit(backup::finish_restore(data) ? 0 : 1);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            killed = WIFEXITED(status) && WEXITSTATUS(status) == 9;
            REQUIRE(backup::finish_restore(data).has_value());
            CHECK(tree_of(data) == places.new_data);
        }
    }

    TEST_CASE("without what was there before nothing is guessed") {
        Places places;
        const fs::path data = places.half_restored();
        for (const std::string& name : entries(data)) {
            if (name.starts_with("before-restore-")) {
                fs::remove_all(data / name);
            }
        }
        const Tree before = tree_of(data);
        CHECK(backup::finish_restore(data).error().number == "E5109");
        CHECK(tree_of(data) == before);
    }

    TEST_CASE("a plan that is none is told, and nothing is moved") {
        Places places;
        for (const char* text :
             {"", "no json", "{}", R"({"fresh":"..","before":"b","out":[],"in":[]})",
              R"({"fresh":"f","before":"b","out":["../x"],"in":[]})",
              R"({"fresh":"f","before":"b","out":[],"in":[{"from":"config/../x","to":"y"}]})"}) {
            CAPTURE(text);
            const fs::path data = places.fresh_copy();
            spill(data / "restore.json", text);
            fs::permissions(data / "restore.json", fs::perms::owner_read);
            CHECK(backup::finish_restore(data).error().number == "E5109");
            fs::remove(data / "restore.json");
            CHECK(tree_of(data) == places.old_data);
        }
    }
}
