#include <doctest/doctest.h>

#include <algorithm>

#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.classes") {
    TEST_CASE("a class takes the defaults of the configuration and its own changes") {
        World world;
        RegistryOptions options;
        options.class_defaults.limits.burst = 77;
        Registry registry(*world.store, world.issuer, world.clock, world.random, options);
        ClassRequest request{"8a", {}, 3, {}};
        request.settings.messages_per_second = 4;
        const ClassRecord made = registry.classes.create(world.admin, request).value();
        CHECK(made.settings.limits.burst == 77);
        CHECK(made.settings.limits.messages_per_second == 4);
        CHECK(made.grace_days == 3);
        const ClassRecord read = registry.classes.show(world.admin, "8a").value();
        CHECK(read.settings == made.settings);
        CHECK_FALSE(read.ends_on.has_value());
    }

    TEST_CASE("what cannot be a class is refused with what, why and how") {
        World world;
        const auto number = [&](ClassRequest request) {
            const auto made = world.registry->classes.create(world.admin, request);
            CHECK(made.error().message != "");
            CHECK(made.error().why != "");
            CHECK(made.error().how != "");
            return made.error().number;
        };
        CHECK(number({"7b", {}, {}, {}}) == "E2108");
        CHECK(number({"", {}, {}, {}}) == "E4104");
        CHECK(number({std::string(41, 'a'), {}, {}, {}}) == "E4104");
        CHECK(number({"7/b", {}, {}, {}}) == "E4104");
        CHECK(number({"x", parse_date("2026-11-22"), {}, {}}) == "E2109");
        CHECK(number({"x", {}, -1, {}}) == "E4104");
        SettingsChange settings;
        settings.burst = 0;
        CHECK(number({"x", {}, {}, settings}) == "E4104");
    }

    TEST_CASE("a missing class is told with the command that makes it and the nearest name") {
        World world;
        const auto missing = world.registry->classes.show(world.admin, "7c");
        CHECK(missing.error().code == Errc::not_found);
        CHECK(missing.error().number == "E2107");
        CHECK(missing.error().how.find("iotsky class create 7c") != std::string::npos);
        ThingRequest request = world.request();
        request.class_name = "9x";
        CHECK(world.registry->things.create(world.admin, request).error().number == "E2107");
    }

    TEST_CASE("a change with an old revision is refused and says both revisions") {
        World world;
        const ClassRecord before = world.registry->classes.show(world.admin, "7b").value();
        const auto changed = world.registry->classes.set(world.admin, "7b", {}, before.rev);
        CHECK(changed.value().value.rev == before.rev + 1);
        const auto stale = world.registry->classes.set(world.admin, "7b", {}, before.rev);
        CHECK(stale.error().code == Errc::precondition_failed);
        CHECK(stale.error().number == "E4120");
    }

    TEST_CASE("deleting a class takes everything with it, but only when asked to") {
        World world;
        const Provisioned made = world.thing();
        CHECK(world.registry->classes.remove(world.admin, "7b", false).error().number == "E2116");
        const std::string before = world.dump();
        const auto tried = world.registry->classes.remove(world.admin, "7b", true, true).value();
        CHECK(tried.value.things == 1);
        CHECK(world.dump() == before);
        const auto done = world.registry->classes.remove(world.admin, "7b", true).value();
        CHECK(done.value.certificates_revoked == 1);
        CHECK(world.view(made)->status == CertificateStatus::revoked);
        CHECK(world.registry->things.show(world.admin, "7b/otter/weather").has_error());
        CHECK(world.registry->classes.create(world.admin, {"7b", {}, {}, {}}).has_value());
    }

    TEST_CASE("open, then grace, then ended") {
        ClassRecord record;
        record.ends_on = parse_date("2027-02-05");
        record.grace_days = 14;
        CHECK(state_of(record, from_unix_s(1801871999)) == ClassState::open);
        CHECK(state_of(record, from_unix_s(1801872000)) == ClassState::grace);
        CHECK(state_of(record, from_unix_s(1801872000 + 14 * 86400)) == ClassState::ended);
    }

    TEST_CASE("lists go page by page, each row once") {
        World world;
        for (int i = 0; i < 25; ++i) {
            REQUIRE(
                world.registry->classes.create(world.admin, {"c" + std::to_string(i), {}, {}, {}})
                    .has_value());
        }
        std::vector<std::string> names;
        PageRequest page{{}, 10};
        for (int pages = 0; pages < 10; ++pages) {
            const auto listing = world.registry->classes.list(world.admin, page).value();
            for (const ClassRecord& record : listing.items) {
                names.push_back(record.name);
            }
            if (!listing.next) {
                break;
            }
            page.cursor = *listing.next;
        }
        CHECK(names.size() == 26);
        CHECK(std::is_sorted(names.begin(), names.end()));
        CHECK(world.registry->classes.list(world.admin, {{}, 0}).error().number == "E4121");
        CHECK(world.registry->classes.list(world.admin, {{}, 1001}).error().number == "E4121");
    }
}
