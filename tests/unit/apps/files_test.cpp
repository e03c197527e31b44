#include "apps/files.hpp"

#include <sys/stat.h>

#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky::apps;
using namespace iotsky::apps::test;

namespace {

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777U;
}

std::size_t entries_of(const std::filesystem::path& folder) {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{folder},
                                                  std::filesystem::directory_iterator{}));
}

}  // namespace

TEST_SUITE("apps.files") {
    TEST_CASE("an atomic write replaces the file and leaves nothing else behind") {
        const TemporaryFolder folder;
        const auto file = folder.write("endpoints.json", "old");
        REQUIRE(write_atomically(file, "new", 0644).has_value());
        CHECK(folder.read("endpoints.json") == "new");
        CHECK(mode_of(file) == 0644);
        CHECK(entries_of(folder.path()) == 1);
    }

    TEST_CASE("a write that cannot be finished keeps the old file") {
        const TemporaryFolder folder;
        std::filesystem::create_directory(folder.path() / "taken");
        folder.write("taken/inside", "x");
        const auto failed = write_atomically(folder.path() / "taken", "new", 0644);
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error().number == "E1161");
        CHECK(folder.read("taken/inside") == "x");
        CHECK(entries_of(folder.path()) == 1);
        CHECK_FALSE(write_atomically(folder.path() / "missing" / "f", "x", 0600).has_value());
    }

    TEST_CASE("a new file never replaces one") {
        const TemporaryFolder folder;
        const auto file = folder.path() / "device.key";
        REQUIRE(write_new(file, "KEY", 0600).has_value());
        CHECK(mode_of(file) == 0600);
        const auto again = write_new(file, "OTHER", 0600);
        REQUIRE_FALSE(again.has_value());
        CHECK(again.error().number == "E1164");
        CHECK(folder.read("device.key") == "KEY");
    }

    TEST_CASE("folders are made for their owner alone") {
        const TemporaryFolder folder;
        REQUIRE(make_folder(folder.path() / "a" / "b").has_value());
        CHECK(mode_of(folder.path() / "a" / "b") == 0700);
        folder.write("file", "x");
        CHECK_FALSE(make_folder(folder.path() / "file").has_value());
    }
}
