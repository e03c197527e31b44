#include <doctest/doctest.h>

#include "provisioning/names.hpp"
#include "provisioning/token_text.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

TEST_SUITE("provisioning.tokens") {
    TEST_CASE("a token opens what it was made for, until it is revoked or ends") {
        World world;
        world.thing();
        TokenRequest request;
        request.name = "laptop";
        request.role = Role::student;
        request.class_name = "7b";
        request.project = "otter";
        request.expires_at = world.clock.wall_now() + std::chrono::hours{1};
        const auto made = world.registry->tokens.create(world.admin, request).value();
        const Caller caller = world.registry->tokens.authenticate(made.token.view()).value();
        CHECK(caller.role == Role::student);
        CHECK(caller.actor == "token:laptop");
        CHECK(caller.project_id == world.student("otter").project_id);
        CHECK(world.registry->tokens.list(world.admin, {}).value().items[0].record.last_used_at ==
              world.clock.wall_now());
        world.clock.advance(std::chrono::hours{1});
        CHECK(world.registry->tokens.authenticate(made.token.view()).error().number == "E4116");

        request.expires_at.reset();
        const auto second = world.registry->tokens.create(world.admin, request).value();
        const std::string id = second.details.record.id.format(kTokenPrefix);
        REQUIRE(world.registry->tokens.revoke(world.admin, id).has_value());
        CHECK(world.registry->tokens.authenticate(second.token.view()).error().code ==
              Errc::unauthenticated);
    }

    TEST_CASE("roles need their class, the student's project, and a device no token") {
        World world;
        const auto number = [&](Role role, const std::string& class_name,
                                const std::string& project) {
            TokenRequest request{"x", role, class_name, project, {}};
            const auto made = world.registry->tokens.create(world.admin, request);
            return made ? std::string{"ok"} : made.error().number;
        };
        CHECK(number(Role::admin, "", "") == "ok");
        CHECK(number(Role::admin, "7b", "") == "E4104");
        CHECK(number(Role::teacher, "", "") == "E4104");
        CHECK(number(Role::teacher, "7b", "") == "ok");
        CHECK(number(Role::teacher, "9z", "") == "E2107");
        CHECK(number(Role::student, "7b", "") == "E4104");
        CHECK(number(Role::student, "7b", "nix") == "E2111");
        CHECK(number(Role::device, "7b", "") == "E4104");
    }

    TEST_CASE("token text: 49 characters, check digits find every single typing error") {
        SeededRandom random(11);
        for (int i = 0; i < 50; ++i) {
            const SecretString token = make_token(random);
            std::string text{token.view()};
            CHECK(text.size() == 49);
            CHECK(text.starts_with("iot_"));
            CHECK(is_token(text));
        }
        const std::string text{make_token(random).view()};
        int accepted = 0;
        for (std::size_t i = 4; i < text.size(); ++i) {
            for (const char c : {'0', 'A', 'z', '-'}) {
                std::string wrong = text;
                wrong[i] = c;
                accepted += wrong != text && is_token(wrong) ? 1 : 0;
            }
        }
        CHECK(accepted <= 1);  // 1 in 3844 by chance
        CHECK_FALSE(is_token(""));
        CHECK_FALSE(is_token("iot_"));
        CHECK_FALSE(is_token(text + "0"));
    }

    TEST_CASE("no secret lies in the database") {
        World world;
        TokenRequest request{"laptop", Role::admin, "", "", {}};
        const auto made = world.registry->tokens.create(world.admin, request).value();
        const Provisioned thing = world.thing();
        std::string everything = world.dump();
        for (const Event& event : world.registry->events.after(world.admin, 0, 1000).value()) {
            everything += event.body;
        }
        for (const AuditEntry& entry : world.registry->audit.after(world.admin, 0, 1000).value()) {
            everything += entry.detail;
        }
        CHECK(everything.find(made.token.view().substr(4, 20)) == std::string::npos);
        CHECK(everything.find(thing.private_key->view()) == std::string::npos);
    }
}
