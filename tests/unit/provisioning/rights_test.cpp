#include <doctest/doctest.h>

#include <algorithm>
#include <array>

#include "provisioning/names.hpp"
#include "provisioning/rights.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

namespace {

std::string number(const Result<void>& result) {
    return result ? std::string{"ok"} : result.error().number;
}

template <typename T>
std::string number(const Result<T>& result) {
    return result ? std::string{"ok"} : result.error().number;
}

}  // namespace

TEST_SUITE("provisioning.rights") {
    TEST_CASE("the admin may everything, projector and device nothing") {
        for (std::size_t i = 0; i < kOperationCount; ++i) {
            const auto operation = static_cast<Operation>(i);
            CAPTURE(i);
            CHECK(role_may(Role::admin, operation));
            CHECK_FALSE(role_may(Role::projector, operation));
            CHECK_FALSE(role_may(Role::device, operation));
        }
    }

    TEST_CASE("nobody may more than the role above") {
        for (std::size_t i = 0; i < kOperationCount; ++i) {
            const auto operation = static_cast<Operation>(i);
            CAPTURE(i);
            if (role_may(Role::assistant, operation) || role_may(Role::student, operation)) {
                CHECK(role_may(Role::teacher, operation));
            }
        }
    }

    TEST_CASE("assistants only read, and no real names") {
        const std::array<Operation, 5> reads{Operation::class_read, Operation::student_read,
                                             Operation::project_read, Operation::thing_read,
                                             Operation::certificate_read};
        for (std::size_t i = 0; i < kOperationCount; ++i) {
            const auto operation = static_cast<Operation>(i);
            const bool reading = std::find(reads.begin(), reads.end(), operation) != reads.end();
            CAPTURE(i);
            CHECK(role_may(Role::assistant, operation) == reading);
        }
    }

    TEST_CASE("a caller acts in the own place only") {
        SeededRandom random(3);
        const Id here = Id::random(random);
        const Id there = Id::random(random);
        const Id project = Id::random(random);
        const Caller teacher{Role::teacher, "t", here, {}};
        CHECK(check(teacher, Operation::thing_change, {here, project}).has_value());
        CHECK(number(check(teacher, Operation::thing_change, {there, project})) == "E4118");
        CHECK(number(check(teacher, Operation::thing_change, {})) == "E4118");
        CHECK(number(check(teacher, Operation::token_manage, {})) == "E4117");
        const Caller student{Role::student, "s", here, project};
        CHECK(check(student, Operation::thing_change, {here, project}).has_value());
        CHECK(number(check(student, Operation::thing_change, {here, there})) == "E4118");
        CHECK(number(check(student, Operation::thing_change, {here, {}})) == "E4118");
        CHECK(number(check(student, Operation::class_read, {here, {}})) == "E4117");
    }

    TEST_CASE("a teacher's or student's token without its class reaches nothing") {
        for (const Role role : {Role::teacher, Role::assistant, Role::student}) {
            const Caller caller{role, "x", {}, {}};
            CHECK(number(check(caller, Operation::thing_read, {})) == "E4118");
        }
    }

    TEST_CASE("each service asks the table: a student meets refusals everywhere but at home") {
        World world;
        const Provisioned own = world.thing("otter", "weather");
        const Provisioned other = world.thing("heron", "door");
        const Caller student = world.student("otter");
        Registry& registry = *world.registry;
        const std::string before = world.dump();

        CHECK(number(registry.classes.list(student, {})) == "E4117");
        CHECK(number(registry.classes.create(student, {"7c", {}, {}, {}})) == "E4117");
        CHECK(number(registry.classes.set(student, "7b", {})) == "E4117");
        CHECK(number(registry.classes.remove(student, "7b", true)) == "E4117");
        CHECK(number(registry.students.list(student, "7b", {})) == "E4117");
        CHECK(number(registry.students.add(student, "7b", {"x", {}, {}})) == "E4117");
        CHECK(number(registry.projects.create(student, "7b", {"x", {}})) == "E4117");
        CHECK(number(registry.projects.show(student, "7b", "heron")) == "E4118");
        CHECK(number(registry.things.show(student, "7b/heron/door")) == "E4118");
        CHECK(number(registry.things.remove(student, "7b/heron/door")) == "E4118");
        CHECK(number(registry.things.create(student, world.request("heron", "x"))) == "E4118");
        CHECK(number(registry.things.create(student, world.request("new", "x"))) == "E4118");
        CHECK(number(registry.certificates.issue(student, "7b/heron/door", {})) == "E4118");
        CHECK(number(registry.certificates.revoke(student, other.certificate->serial, "lost")) ==
              "E4118");
        CHECK(number(registry.certificates.show(student, other.certificate->serial)) == "E4118");
        CHECK(number(registry.certificates.issue_service(student, {"g", {"p"}, {}, {}})) ==
              "E4117");
        CHECK(number(registry.policies.list(student, {})) == "E4117");
        CHECK(number(registry.policies.create(student, "p", test::kAllowAll)) == "E4117");
        CHECK(number(registry.tokens.list(student, {})) == "E4117");
        CHECK(number(registry.events.after(student, 0, 1)) == "E4117");
        CHECK(number(registry.audit.after(student, 0, 1)) == "E4117");
        CHECK(number(registry.roster.import(student, "7b", "name\nx\n", {})) == "E4117");
        CHECK(number(registry.roster.export_csv(student, "7b")) == "E4117");
        CHECK(number(registry.chain.run_step(student, "attach", "{}", ChainMode::real)) == "E4117");
        ThingRequest with_policy = world.request("otter", "x");
        with_policy.policies = {"p"};
        CHECK(number(registry.things.create(student, with_policy)) == "E4117");
        CHECK(world.dump() == before);

        CHECK(number(registry.things.show(student, "7b/otter/weather")) == "ok");
        CHECK(registry.things.list(student, {}, {}).value().items.size() == 1);
        CHECK(registry.projects.list(student, "7b", {}).value().items.size() == 1);
        CHECK(number(registry.things.create(student, world.request("otter", "x"))) == "ok");
        CHECK(number(registry.certificates.revoke(student, own.certificate->serial, "lost")) ==
              "ok");
    }

    TEST_CASE("a teacher sees and changes one class") {
        World world;
        world.thing();
        REQUIRE(world.registry->classes.create(world.admin, {"8a", {}, {}, {}}).has_value());
        const Caller teacher = world.teacher("8a");
        CHECK(world.registry->classes.list(teacher, {}).value().items.size() == 1);
        CHECK(number(world.registry->classes.show(teacher, "7b")) == "E4118");
        CHECK(number(world.registry->things.show(teacher, "7b/otter/weather")) == "E4118");
        CHECK(world.registry->things.list(teacher, {}, {}).value().items.empty());
        CHECK(world.registry->certificates.list(teacher, {}, {}).value().items.empty());
        ThingQuery query;
        query.class_name = "7b";
        CHECK(number(world.registry->things.list(teacher, query, {})) == "E4118");
        ClassChange change;
        change.settings.strict_isolation = true;
        CHECK(number(world.registry->classes.set(teacher, "8a", change)) == "ok");
        CHECK(number(world.registry->classes.set(teacher, "7b", change)) == "E4118");
    }
}
