// What a backup must not hold, and what its list must say.
#include "apps/backup/unpack.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "certs/fingerprint.hpp"
#include "certs/sealed_file.hpp"
#include "tests/unit/apps/backup_home.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;

namespace {

struct Entry {
    std::string path;
    std::string content;
    unsigned type = AE_IFREG;
};

void add(archive* out, const Entry& each) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, each.path.c_str());
    archive_entry_set_filetype(entry, each.type);
    archive_entry_set_perm(entry, 0600);
    archive_entry_set_size(
        entry, each.type == AE_IFREG ? static_cast<la_int64_t>(each.content.size()) : 0);
    if (each.type == AE_IFLNK) {
        archive_entry_set_symlink(entry, "/etc/passwd");
    }
    archive_write_header(out, entry);
    if (each.type == AE_IFREG) {
        archive_write_data(out, each.content.data(), each.content.size());
    }
    archive_entry_free(entry);
}

/// A sealed tar as no program of ours makes it.
void forge(const fs::path& file, const std::vector<Entry>& entries, Random& random) {
    fs::remove(file);
    backup::Description description;
    description.registry_format = 1;
    auto sealed =
        certs::SealedWriter::create(file, backup::format(description), {}, random).value();
    std::string tar;
    archive* out = archive_write_new();
    archive_write_set_format_pax_restricted(out);
    archive_write_set_options(out, "hdrcharset=BINARY");
    archive_write_open(
        out, &tar, nullptr,
        [](archive*, void* to, const void* bytes, std::size_t size) {
            static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size);
            return static_cast<la_ssize_t>(size);
        },
        nullptr);
    for (const Entry& each : entries) {
        add(out, each);
    }
    archive_write_close(out);
    archive_write_free(out);
    REQUIRE(sealed->write(as_bytes(tar)).has_value());
    REQUIRE(sealed->finish().has_value());
}

backup::FileEntry entry_of(const Entry& each) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(each.content.data());
    return {each.path, each.content.size(),
            certs::Fingerprint::of({bytes, each.content.size()}).hex()};
}

/// A folder to unpack in, and the file.
struct Bench {
    TemporaryFolder folder;
    SystemRandom random;
    int folders = 0;

    [[nodiscard]] fs::path file() const { return folder.path() / "forged.backup"; }
    Result<backup::Unpacked> unpack(const std::vector<Entry>& entries) {
        forge(file(), entries, random);
        const fs::path into = folder.path() / ("into" + std::to_string(++folders));
        fs::create_directory(into);
        return backup::unpack(file(), {}, into);
    }
    Result<backup::Unpacked> unpack(std::vector<Entry> entries, const backup::Manifest& manifest) {
        entries.push_back({std::string{backup::kManifestPath}, backup::format(manifest)});
        return unpack(entries);
    }
};

}  // namespace

TEST_SUITE("apps.unpack") {
    TEST_CASE("paths that no backup of ours has are not written, and links are not made") {
        Bench bench;
        for (const Entry& entry : std::vector<Entry>{{"../evil", "x"},
                                                     {"/tmp/evil", "x"},
                                                     {"ca/../../evil", "x"},
                                                     {"config/../../evil", "x"},
                                                     {"config/./evil", "x"},
                                                     {"config//evil", "x"},
                                                     {"config/a\nb", "x"},
                                                     {"config/a\x1b[2Jb", "x"},
                                                     {"config/\xff", "x"},
                                                     {"config/" + std::string(256, 'x'), "x"},
                                                     {"ca/.hidden", "x"},
                                                     {"ca/ä", "x"},
                                                     {"lock", "x"},
                                                     {"registry.db", "", AE_IFLNK},
                                                     {"ca/x", "", AE_IFLNK},
                                                     {"config/x", "", AE_IFLNK},
                                                     {"ca", "", AE_IFDIR}}) {
            CAPTURE(entry.path);
            const auto refused = bench.unpack({entry});
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E5107");
            CHECK(refused.error().why.find("which no backup has") != std::string::npos);
            CHECK_FALSE(fs::exists(bench.folder.path() / "evil"));
        }
    }

    TEST_CASE("a configuration has no name of the broker's own: it would take its place") {
        Bench bench;
        for (const char* name :
             {"registry.db", "registry.db-wal", "messages.db", "messages.db.damaged", "ca/x.key",
              "ca.partial/x", "admin.token", "admin.sock", "server-ca.crt", "lock", "restore.json",
              "backup/x.backup", "endpoints.json", "before-restore-x/y", "config-of-backup-x/y",
              ".iotsky-scratch-abc/x"}) {
            CAPTURE(name);
            CHECK(bench.unpack({{std::string{"config/"} + name, "x"}}).error().number == "E5107");
            CHECK_FALSE(backup::is_known_path(std::string{"config/"} + name));
        }
        for (const char* name : {"iotsky.toml", "conf.d/10-ä.toml", "policies/allow.json",
                                 "config/x", "cafe.json", ".hidden.toml"}) {
            CAPTURE(name);
            CHECK(backup::is_known_path(std::string{"config/"} + name));
        }
    }

    TEST_CASE("the list names every file with its length and its hash, and nothing else") {
        Bench bench;
        const Entry token{"admin.token", "secret"};
        const Entry config{"config/iotsky.toml", "[log]\n"};
        backup::Manifest right;
        right.files = {entry_of(token), entry_of(config)};
        right.config_file = "iotsky.toml";
        const auto whole = bench.unpack({token, config}, right);
        REQUIRE_MESSAGE(whole.has_value(), whole.error());

        const auto is_refused = [&](const std::vector<Entry>& entries,
                                    const backup::Manifest& list) {
            const auto unpacked = bench.unpack(entries, list);
            return !unpacked && unpacked.error().number == "E5107";
        };
        backup::Manifest wrong = right;
        wrong.files[0].sha256[0] = wrong.files[0].sha256[0] == 'a' ? 'b' : 'a';
        CHECK(is_refused({token, config}, wrong));
        wrong = right;
        ++wrong.files[0].bytes;
        CHECK(is_refused({token, config}, wrong));
        wrong = right;
        wrong.files.pop_back();
        CHECK(is_refused({token, config}, wrong));
        CHECK(is_refused({token}, right));
        CHECK(is_refused({{"admin.token", "Secret"}, config}, right));
        CHECK(bench.unpack({token, config}).error().number == "E5107");  // no list at all
        CHECK(is_refused({token, token, config}, right));
    }

    TEST_CASE("the configuration that is named is there, and no other") {
        Bench bench;
        const Entry config{"config/iotsky.toml", "[log]\n"};
        for (const char* main : {"", "other.toml", "../config/iotsky.toml", "/etc/passwd"}) {
            CAPTURE(main);
            backup::Manifest manifest;
            manifest.files = {entry_of(config)};
            manifest.config_file = main;
            const auto refused = bench.unpack({config}, manifest);
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E5107");
        }
    }
}
