#include <doctest/doctest.h>
#include <sqlite3.h>

#include <string>

#include "provisioning/audit_chain.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

namespace {

/// Changes the database behind the registry's back.
class Intruder {
  public:
    explicit Intruder(const std::filesystem::path& path) {
        REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK);
    }
    ~Intruder() { sqlite3_close(db_); }
    Intruder(const Intruder&) = delete;
    Intruder& operator=(const Intruder&) = delete;

    void run(const std::string& sql) {
        CAPTURE(sql);
        CHECK(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
    }

  private:
    sqlite3* db_ = nullptr;
};

void fill(World& world, int entries) {
    for (int i = 0; i < entries; ++i) {
        REQUIRE(world.registry->audit
                    .note(world.admin, "test.note", "object " + std::to_string(i),
                          R"({"n":)" + std::to_string(i) + "}")
                    .has_value());
    }
}

AuditVerdict verdict(World& world) {
    return world.registry->audit.verify(world.admin).value();
}

}  // namespace

TEST_SUITE("provisioning.audit") {
    TEST_CASE("an untouched chain is whole and says where it ends") {
        World world;
        fill(world, 20);
        const AuditVerdict found = verdict(world);
        CHECK_FALSE(found.broken.has_value());
        const auto entries = world.registry->audit.after(world.admin, 0, 100).value();
        CHECK(found.entries == entries.size());
        CHECK(found.head == entries.back().hash);
    }

    TEST_CASE("changing any field of any entry is found at that entry") {
        World world;
        fill(world, 12);
        Intruder intruder(world.database.path());
        for (const std::string change :
             {"at = at + 1", "actor = 'x' || actor", "action = 'x'", "object = object || ' '",
              "detail = '{}'", "hash = zeroblob(32)"}) {
            for (int seq = 2; seq <= 12; ++seq) {
                CAPTURE(change);
                CAPTURE(seq);
                intruder.run("CREATE TABLE kept AS SELECT * FROM audit");
                intruder.run("UPDATE audit SET " + change + " WHERE seq = " + std::to_string(seq));
                const AuditVerdict found = verdict(world);
                REQUIRE(found.broken.has_value());
                CHECK(found.broken->seq == static_cast<std::uint64_t>(seq));
                intruder.run("DELETE FROM audit");
                intruder.run("INSERT INTO audit SELECT * FROM kept");
                intruder.run("DROP TABLE kept");
            }
        }
        CHECK_FALSE(verdict(world).broken.has_value());
    }

    TEST_CASE("leaving out or swapping entries is found") {
        World world;
        fill(world, 10);
        Intruder intruder(world.database.path());
        SUBCASE("left out") {
            intruder.run("DELETE FROM audit WHERE seq = 5");
        }
        SUBCASE("left out and renumbered") {
            intruder.run("DELETE FROM audit WHERE seq = 5");
            intruder.run("UPDATE audit SET seq = seq - 1 WHERE seq > 5");
        }
        SUBCASE("swapped") {
            intruder.run("UPDATE audit SET seq = 1000 WHERE seq = 5");
            intruder.run("UPDATE audit SET seq = 5 WHERE seq = 6");
            intruder.run("UPDATE audit SET seq = 6 WHERE seq = 1000");
        }
        CHECK(verdict(world).broken.value().seq == 5);
    }

    TEST_CASE("text cannot move from one field to the next unseen") {
        AuditEntry entry;
        entry.actor = "ab";
        entry.action = "c";
        AuditEntry moved = entry;
        moved.actor = "a";
        moved.action = "bc";
        CHECK(audit_hash({}, entry) != audit_hash({}, moved));
    }
}
