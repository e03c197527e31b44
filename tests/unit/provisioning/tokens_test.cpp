#include <doctest/doctest.h>

#include <algorithm>

#include "acl/auth_context.hpp"
#include "provisioning/names.hpp"
#include "provisioning/registry_view.hpp"
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

    TEST_CASE("over MQTT a token reads its class, and a teacher's writes on the board") {
        World world;
        world.thing();
        struct Row {
            Role role;
            std::string reads;
            std::string not_reads;
            std::string writes;
            std::string not_writes;
        };
        const Row rows[] = {
            {Role::teacher, "7b/otter/weather/t", "8a/otter/x", "7b/board/lesson", "7b/otter/x"},
            {Role::assistant, "7b/otter/weather/t", "8a/otter/x", "", "7b/board/lesson"},
            {Role::projector, "7b/board/lesson", "8a/board/x", "", "7b/board/lesson"},
            {Role::student, "7b/otter/weather/t", "7b/fox/x", "7b/commons/x", "7b/board/x"},
            {Role::student, "7b/board/lesson", "7c/board/x", "7b/commons/x", "7b/otter/x"},
            {Role::admin, "8a/fox/x", "", "8a/board/x", "8a/fox/x"},
        };
        for (const Row& row : rows) {
            CAPTURE(to_string(row.role));
            const bool admin = row.role == Role::admin;
            const auto made = world.registry->tokens
                                  .create(world.admin, {"x",
                                                        row.role,
                                                        admin ? "" : "7b",
                                                        row.role == Role::student ? "otter" : "",
                                                        {}})
                                  .value();
            const auto token = world.registry->view().tokens()->find(made.token.view());
            REQUIRE(token != nullptr);
            REQUIRE_FALSE(token->refusal(world.clock.wall_now()).has_value());
            const auto rights = acl::AuthContext::make(token->rules(), {}, token->valid_until());
            const auto may = [&](acl::Action action, const std::string& what) {
                return rights->evaluate(action, what, world.clock.wall_now()).allowed;
            };
            CHECK(may(acl::Action::connect, "anything"));
            CHECK(may(acl::Action::receive, row.reads));
            CHECK(may(acl::Action::subscribe, row.reads));
            CHECK_FALSE((!row.not_reads.empty() && may(acl::Action::receive, row.not_reads)));
            CHECK_FALSE((!row.not_reads.empty() && may(acl::Action::subscribe, row.not_reads)));
            CHECK((row.writes.empty() || may(acl::Action::publish, row.writes)));
            CHECK_FALSE(may(acl::Action::publish, row.not_writes));
        }
        // A screen of no class has nothing to show.
        const auto screen =
            world.registry->tokens.create(world.admin, {"s", Role::projector, "", "", {}}).value();
        CHECK(world.registry->view()
                  .tokens()
                  ->find(screen.token.view())
                  ->refusal(world.clock.wall_now())
                  ->number == "E3309");
    }

    TEST_CASE("over MQTT a token that is narrowed reaches no more than that, whatever its role") {
        World world;
        world.thing();
        world.thing("fox");
        const Id class_id = world.teacher().class_id.value();
        const Id project_id = world.student("otter").project_id.value();
        SeededRandom random(5);
        const auto token = [&](Role role, std::optional<Id> in, std::optional<Id> project) {
            TokenRecord row;
            row.id = Id::random(random);
            row.name = "x";
            row.role = role;
            row.class_id = in;
            row.project_id = project;
            row.sha256[0] = static_cast<std::uint8_t>(role);
            row.sha256[1] = project ? 1 : 0;
            REQUIRE(world.store
                        ->transact_void(
                            [&](Tx& tx) -> Result<void> {
                                tx.insert(row);
                                return {};
                            },
                            Ending::commit)
                        .has_value());
            RegistryView view;
            REQUIRE(view.load(*world.store).has_value());
            return view.tokens()->by_scope(row.id.format(kTokenPrefix));
        };
        const auto may = [&](const TokenView& of, acl::Action action, const std::string& what) {
            return acl::AuthContext::make(of.rules(), {}, {})
                ->evaluate(action, what, world.clock.wall_now())
                .allowed;
        };
        const auto reads = [&](const TokenView& of, const std::string& what) {
            const bool receives = may(of, acl::Action::receive, what);
            CHECK(receives == may(of, acl::Action::subscribe, what));
            return receives;
        };
        for (const Role role :
             {Role::admin, Role::teacher, Role::assistant, Role::projector, Role::student}) {
            CAPTURE(to_string(role));
            const auto narrow = token(role, class_id, project_id);
            CHECK(narrow->narrowing == Narrowing::to_project);
            CHECK(reads(*narrow, "7b/otter/weather/t"));
            CHECK(reads(*narrow, "7b/board/lesson"));
            CHECK_FALSE(reads(*narrow, "7b/fox/weather/t"));
            CHECK_FALSE(reads(*narrow, "7b/#"));
            CHECK_FALSE(reads(*narrow, "8a/otter/x"));
            CHECK(may(*narrow, acl::Action::publish, "7b/commons/x") == (role == Role::student));
            for (const char* topic : {"7b/board/x", "7b/otter/x", "8a/board/x"}) {
                CHECK_FALSE(may(*narrow, acl::Action::publish, topic));
            }
        }
        const auto of_class = token(Role::admin, class_id, {});
        CHECK(reads(*of_class, "7b/fox/weather/t"));
        CHECK_FALSE(reads(*of_class, "8a/fox/x"));
        CHECK(may(*of_class, acl::Action::publish, "7b/board/x"));
        CHECK_FALSE(may(*of_class, acl::Action::publish, "8a/board/x"));
        for (const Role role : {Role::student, Role::device}) {
            CHECK(token(role, class_id, {})->rules() == nullptr);
        }
    }

    TEST_CASE("a use over MQTT is noted with the upkeep, once in five minutes") {
        World world;
        const auto made =
            world.registry->tokens.create(world.admin, {"x", Role::admin, "", "", {}}).value();
        const auto last_use = [&] {
            return world.registry->tokens.list(world.admin, {})
                .value()
                .items[0]
                .record.last_used_at;
        };
        const WallTime first = world.clock.wall_now();
        world.registry->tokens.uses().note(made.details.record.id, first);
        CHECK_FALSE(last_use().has_value());
        REQUIRE(world.registry->maintain().has_value());
        CHECK(last_use() == first);
        using std::chrono::minutes;
        for (const auto& [later, noted] :
             {std::pair{minutes{4}, minutes{0}}, {minutes{5}, minutes{5}}}) {
            world.registry->tokens.uses().note(made.details.record.id, first + later);
            REQUIRE(world.registry->maintain().has_value());
            CHECK(last_use() == first + noted);
        }
        world.registry->tokens.uses().note(Id{}, first);  // gone meanwhile
        CHECK(world.registry->maintain().has_value());
    }

    TEST_CASE("the published tokens follow their class and their revocation, which is told") {
        World world;
        world.thing();
        const auto made =
            world.registry->tokens.create(world.admin, {"x", Role::teacher, "7b", "", {}}).value();
        const auto now = [&] { return world.registry->view().tokens()->find(made.token.view()); };
        const auto before = now();
        REQUIRE(before != nullptr);
        CHECK(world.registry->view().tokens()->by_scope(before->scope) == before);
        ClassChange change;
        change.settings.strict_isolation = true;
        REQUIRE(world.registry->classes.set(world.admin, "7b", change).has_value());
        CHECK(now()->class_view->settings.strict_isolation);

        const std::string id = made.details.record.id.format(kTokenPrefix);
        const std::size_t told = world.listener.calls.size();
        REQUIRE(world.registry->tokens.revoke(world.admin, id).has_value());
        CHECK(now()->revoked);
        REQUIRE(world.listener.calls.size() == told + 1);
        CHECK(world.listener.calls.back().scopes == std::vector<std::string>{id});
        CHECK(world.registry->view().tokens()->find("iot_nonsense") == nullptr);
    }

    TEST_CASE("a project goes with its tokens, and a connection of one is told") {
        World world;
        world.thing();
        const auto made =
            world.registry->tokens.create(world.admin, {"p", Role::student, "7b", "otter", {}})
                .value();
        const std::size_t told = world.listener.calls.size();
        REQUIRE(world.registry->projects.remove(world.admin, "7b", "otter", true).has_value());
        CHECK(world.registry->view().tokens()->find(made.token.view()) == nullptr);
        CHECK_FALSE(world.registry->tokens.authenticate(made.token.view()).has_value());
        REQUIRE(world.listener.calls.size() == told + 1);
        const std::string id = made.details.record.id.format(kTokenPrefix);
        CHECK(std::ranges::count(world.listener.calls.back().scopes, id) == 1);
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
