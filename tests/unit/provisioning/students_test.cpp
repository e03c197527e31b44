#include <doctest/doctest.h>

#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.students") {
    TEST_CASE("students have pseudonyms; real names are for teachers and never in events") {
        World world;
        StudentRequest request{"otter", "Lena M.", "otter"};
        const auto made = world.registry->students.add(world.admin, "7b", request).value();
        CHECK(made.projects == std::vector<std::string>{"otter"});
        Caller assistant = world.teacher();
        CHECK(world.registry->students.show(assistant, "7b", "otter").value().record.real_name ==
              "Lena M.");
        assistant.role = Role::assistant;
        CHECK_FALSE(world.registry->students.show(assistant, "7b", "otter")
                        .value()
                        .record.real_name.has_value());
        for (const Event& event : world.registry->events.after(world.admin, 0, 100).value()) {
            CHECK(event.body.find("Lena") == std::string::npos);
        }
        for (const AuditEntry& entry : world.registry->audit.after(world.admin, 0, 100).value()) {
            CHECK(entry.detail.find("Lena") == std::string::npos);
        }
    }

    TEST_CASE("rename, forget the name, remove: the project stays") {
        World world;
        auto& students = world.registry->students;
        REQUIRE(students.add(world.admin, "7b", {"otter", "Lena", "otter"}).has_value());
        CHECK(students.add(world.admin, "7b", {"otter", {}, {}}).error().number == "E2117");
        StudentChange change;
        change.pseudonym = "heron";
        change.real_name = std::optional<std::string>{};
        const auto changed = students.change(world.admin, "7b", "otter", change, 1).value();
        CHECK(changed.record.pseudonym == "heron");
        CHECK_FALSE(changed.record.real_name.has_value());
        REQUIRE(students.remove(world.admin, "7b", "heron").has_value());
        CHECK(students.list(world.admin, "7b", {}).value().items.empty());
        CHECK(world.registry->projects.show(world.admin, "7b", "otter").value().students.empty());
    }

    TEST_CASE("a project may belong to a group") {
        World world;
        REQUIRE(world.registry->students.add(world.admin, "7b", {"a", {}, {}}).has_value());
        REQUIRE(world.registry->students.add(world.admin, "7b", {"b", {}, {}}).has_value());
        const auto made =
            world.registry->projects.create(world.admin, "7b", {"station", {"a", "b"}}).value();
        CHECK(made.students == std::vector<std::string>{"a", "b"});
        CHECK(
            world.registry->projects.create(world.admin, "7b", {"x", {"nobody"}}).error().number ==
            "E2110");
        CHECK(world.registry->projects.show(world.admin, "7b", "x").error().number == "E2111");
        CHECK(world.registry->projects.create(world.admin, "7b", {"station", {}}).error().number ==
              "E2118");
        world.thing("station", "a");
        CHECK(world.registry->projects.remove(world.admin, "7b", "station", false).error().number ==
              "E2119");
        CHECK(world.registry->projects.remove(world.admin, "7b", "station", true)
                  .value()
                  .value.things == 1);
    }
}
