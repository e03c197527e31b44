#include <doctest/doctest.h>

#include <algorithm>

#include "provisioning/names.hpp"
#include "provisioning/token_text.hpp"
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

TEST_SUITE("provisioning.things") {
    TEST_CASE("the limit of a class is told with the number and the way on") {
        World world;
        for (int i = 0; i < 5; ++i) {
            world.thing("otter", "t" + std::to_string(i));
        }
        const auto sixth = world.registry->things.create(world.admin, world.request("otter", "x"));
        CHECK(sixth.error().number == "E2106");
        CHECK(sixth.error().message == "Project otter already has 5 things (limit 5 in class 7b).");
        CHECK(world.issuer.issued == 5);
        CHECK(world.registry->things.create(world.admin, world.request("heron", "x")).has_value());
    }

    TEST_CASE("reserved projects, wrong names and wrong attributes are refused") {
        World world;
        const auto number = [&](const ThingRequest& request) {
            return world.registry->things.create(world.admin, request).error().number;
        };
        CHECK(number(world.request("board", "x")) == "E2113");
        CHECK(number(world.request("commons", "x")) == "E2113");
        CHECK(number(world.request("a b", "x")) == "E4104");
        CHECK(number(world.request("otter", "#")) == "E4104");
        CHECK(number(world.request("otter", "")) == "E4104");
        ThingRequest request = world.request();
        request.attributes = {{"a b", "x"}};
        CHECK(number(request) == "E4104");
        request = world.request();
        request.key_type = "dsa";
        CHECK(number(request) == "E4104");
        request = world.request();
        request.key = KeySource::csr;
        request.csr = "rubbish";
        CHECK(number(request) == "E5221");
        CHECK(world.issuer.issued == 0);
    }

    TEST_CASE("a thing is made once") {
        World world;
        world.thing();
        const auto again = world.registry->things.create(world.admin, world.request());
        CHECK(again.error().number == "E2114");
        CHECK(again.error().code == Errc::already_exists);
    }

    TEST_CASE("a classless thing has any AWS name but one of a class") {
        World world;
        ThingRequest request;
        request.name = "sensor:one";
        const auto made = world.registry->things.create(world.admin, request).value();
        CHECK(made.thing->path() == "sensor:one");
        CHECK(made.topics.publish.empty());
        CHECK(world.view(made)->valid_until == *made.certificate->not_after);
        CHECK(*made.certificate->not_after - world.clock.wall_now() ==
              std::chrono::hours{397 * 24});
        request.name = "7b:otter:weather";
        CHECK(world.registry->things.create(world.admin, request).error().number == "E2115");
        request.name = "no:such:class";
        CHECK(world.registry->things.create(world.admin, request).has_value());
    }

    TEST_CASE("a thing without a certificate can get one later") {
        World world;
        ThingRequest request = world.request();
        request.key = KeySource::none;
        const auto made = world.registry->things.create(world.admin, request).value();
        CHECK_FALSE(made.certificate.has_value());
        CHECK(world.issuer.issued == 0);
        const auto issued =
            world.registry->certificates.issue(world.admin, "7b:otter:weather", {}).value();
        CHECK(world.view(issued)->name == "7b/otter/weather");
        CHECK(format_utc(*issued.certificate->not_after) == "2027-05-21T00:00:00Z");
    }

    TEST_CASE("renaming moves topics and keeps the scope") {
        World world;
        const Provisioned made = world.thing();
        const std::string scope = world.view(made)->scope;
        ThingChange change;
        change.name = "rain";
        change.board = std::optional<std::string>{"esp32-arduino"};
        change.attributes = Attributes{{"room", "12"}};
        const auto changed =
            world.registry->things.change(world.admin, "7b/otter/weather", change, 1).value();
        CHECK(changed.value.path() == "7b/otter/rain");
        CHECK(changed.value.rev == 2);
        CHECK(world.view(made)->name == "7b/otter/rain");
        CHECK(world.view(made)->scope == scope);
        const auto shown = world.registry->things.show(world.admin, "7b/otter/rain").value();
        CHECK(shown.record.attributes == Attributes{{"room", "12"}});
        CHECK(shown.record.board == "esp32-arduino");
        CHECK(shown.topics.publish[0] == "7b/otter/rain/#");
        world.thing("otter", "wind");
        change.name = "wind";
        CHECK(world.registry->things.change(world.admin, "7b/otter/rain", change).error().number ==
              "E2114");
    }

    TEST_CASE("a deleted thing's certificate stays known as revoked") {
        World world;
        const Provisioned made = world.thing();
        const auto done = world.registry->things.remove(world.admin, "7b/otter/weather").value();
        CHECK(done.value.certificates_revoked == 1);
        CHECK(world.view(made)->status == CertificateStatus::revoked);
        CHECK(world.view(made)->refusal(world.clock.wall_now()).has_value());
        CHECK(world.listener.calls.back().revoked);
        CHECK(world.events("thing.deleted") == 1);
        CHECK(world.events("certificate.revoked") == 1);
    }

    TEST_CASE("a thing is found by path, AWS name, id; a missing one with the nearest name") {
        World world;
        const Provisioned made = world.thing();
        for (const std::string& name :
             {std::string{"7b/otter/weather"}, std::string{"7b:otter:weather"},
              made.thing->id.format(kThingPrefix)}) {
            CHECK(world.registry->things.show(world.admin, name).value().record.id ==
                  made.thing->id);
        }
        const auto missing = world.registry->things.show(world.admin, "7b/otter/wether");
        CHECK(missing.error().how.find("Did you mean 7b/otter/weather?") != std::string::npos);
    }
}

TEST_SUITE("provisioning.certificates") {
    TEST_CASE("with revoke_old the new certificate replaces all others in one go") {
        World world;
        const Provisioned first = world.thing();
        KeyRequest request;
        request.revoke_old = true;
        const auto next =
            world.registry->certificates.issue(world.admin, "7b/otter/weather", request).value();
        CHECK(world.view(first)->status == CertificateStatus::revoked);
        CHECK(world.view(next)->status == CertificateStatus::active);
        CHECK(world.listener.calls.back().revoked);
        CHECK(world.events("certificate.revoked") == 1);
    }

    TEST_CASE("a revoked certificate stays revoked") {
        World world;
        const Provisioned made = world.thing();
        const std::string serial = made.certificate->serial;
        REQUIRE(world.registry->certificates.revoke(world.admin, serial, "lost").has_value());
        CHECK(world.registry->certificates.revoke(world.admin, serial, "lost").has_value());
        CHECK(world.registry->certificates.renew(world.admin, serial, {}).error().number ==
              "E5243");
        CHECK(
            world.registry->certificates.set_status(world.admin, serial, CertificateStatus::active)
                .error()
                .number == "E5243");
        CHECK(world.registry->certificates.revoke(world.admin, serial, "whim").error().number ==
              "E4104");
        const auto list = world.registry->certificates.revoked().value();
        REQUIRE(list.size() == 1);
        CHECK(list[0].serial == serial);
        CHECK(list[0].reason == "lost");
    }

    TEST_CASE("a suspended certificate is refused until it is active again") {
        World world;
        const Provisioned made = world.thing();
        const std::string serial = made.certificate->serial;
        REQUIRE(world.registry->certificates
                    .set_status(world.admin, serial, CertificateStatus::suspended)
                    .has_value());
        CHECK(world.view(made)->refusal(world.clock.wall_now())->number == "E3303");
        CHECK(world.registry->certificates.renew(world.admin, serial, {}).error().number ==
              "E5244");
        CHECK(world.registry->certificates
                  .set_status(world.student("otter"), serial, CertificateStatus::active)
                  .error()
                  .number == "E4117");
        REQUIRE(
            world.registry->certificates.set_status(world.admin, serial, CertificateStatus::active)
                .has_value());
        CHECK_FALSE(world.view(made)->refusal(world.clock.wall_now()).has_value());
    }

    TEST_CASE("a certificate is found by id, serial and fingerprint in any usual form") {
        World world;
        const Provisioned made = world.thing();
        const CertificateRecord& row = *made.certificate;
        for (const std::string& name : {row.id.format(kCertificatePrefix), row.serial,
                                        row.fingerprint->hex(), row.fingerprint->colon_hex()}) {
            CAPTURE(name);
            CHECK(world.registry->certificates.show(world.admin, name).value().record.id == row.id);
        }
        CHECK(world.registry->certificates.show(world.admin, "ff").error().number == "E5245");
    }

    TEST_CASE("a revocation that comes while a successor is signed wins") {
        World world;
        const Provisioned made = world.thing();
        const std::string serial = made.certificate->serial;
        world.issuer.while_signing = [&] {
            world.issuer.while_signing = {};
            REQUIRE(world.registry->certificates.revoke(world.admin, serial, "lost").has_value());
        };
        CHECK(world.registry->certificates.renew(world.admin, serial, {}).error().number ==
              "E5243");
        CHECK(world.dump().find("pending") == std::string::npos);
        CHECK(world.view(made)->status == CertificateStatus::revoked);
    }

    TEST_CASE("a thing that is deleted while its certificate is signed gets none") {
        World world;
        world.thing();
        world.issuer.while_signing = [&] {
            world.issuer.while_signing = {};
            REQUIRE(world.registry->things.remove(world.admin, "7b/otter/weather").has_value());
        };
        CHECK(world.registry->certificates.issue(world.admin, "7b/otter/weather", {})
                  .error()
                  .number == "E2112");
        CHECK(world.dump().find("pending") == std::string::npos);
    }

    TEST_CASE("a class that is deleted while a thing is made leaves nothing of it") {
        World world;
        world.issuer.while_signing = [&] {
            world.issuer.while_signing = {};
            REQUIRE(world.registry->classes.remove(world.admin, "7b", true).has_value());
        };
        CHECK(world.registry->things.create(world.admin, world.request()).error().number ==
              "E2107");
        CHECK(world.dump().find("pending") == std::string::npos);
        CHECK(world.dump().find("thing") == std::string::npos);
    }

    TEST_CASE("lists can be narrowed and paged") {
        World world;
        world.thing("otter", "a");
        world.thing("otter", "b");
        const Provisioned third = world.thing("heron", "c");
        CertificateQuery query;
        query.thing = "7b/heron/c";
        CHECK(world.registry->certificates.list(world.admin, query, {}).value().items.size() == 1);
        query = {};
        query.class_name = "7b";
        const auto page = world.registry->certificates.list(world.admin, query, {{}, 2}).value();
        REQUIRE(page.next.has_value());
        const auto rest =
            world.registry->certificates.list(world.admin, query, {*page.next, 2}).value();
        REQUIRE(rest.items.size() == 1);
        CHECK(rest.items[0].record.serial == third.certificate->serial);
        CHECK(rest.items[0].things == std::vector<std::string>{"7b/heron/c"});
        query.ends_within = std::chrono::hours{24};
        CHECK(world.registry->certificates.list(world.admin, query, {}).value().items.empty());
    }

    TEST_CASE("a service identity needs a policy that can be read") {
        World world;
        ServiceRequest request;
        request.name = "grader";
        CHECK(world.registry->certificates.issue_service(world.admin, request).error().number ==
              "E3121");
        request.policy_document = "{";
        CHECK(world.registry->certificates.issue_service(world.admin, request).has_error());
        request.policy_document = test::kAllowAll;
        const auto made = world.registry->certificates.issue_service(world.admin, request).value();
        CHECK(world.view(made)->name == "service grader");
        CHECK_FALSE(made.thing.has_value());
        CHECK(made.certificate->pem.find("service:grader") != std::string::npos);
        CHECK(world.registry->policies.show(world.admin, "service-grader").value().document ==
              test::kAllowAll);
    }
}

TEST_SUITE("provisioning.policies") {
    TEST_CASE("a policy that cannot be understood is never stored") {
        World world;
        const auto refused = world.registry->policies.create(world.admin, "p", R"({"Version":1})");
        CHECK(refused.has_error());
        CHECK(world.registry->policies.list(world.admin, {}).value().items.empty());
    }

    TEST_CASE("versions: five at most, the default stays, numbers are never used twice") {
        World world;
        auto& policies = world.registry->policies;
        REQUIRE(policies.create(world.admin, "p", test::kAllowAll).has_value());
        for (int i = 2; i <= 5; ++i) {
            CHECK(policies.add_version(world.admin, "p", test::kAllowConnect, false)
                      .value()
                      .value.version == i);
        }
        CHECK(policies.add_version(world.admin, "p", test::kAllowAll, false).error().number ==
              "E3125");
        CHECK(policies.remove_version(world.admin, "p", 1).error().number == "E3126");
        CHECK(policies.remove_version(world.admin, "p", 9).error().number == "E3124");
        REQUIRE(policies.remove_version(world.admin, "p", 5).has_value());
        CHECK(policies.add_version(world.admin, "p", test::kAllowAll, true).value().value.version ==
              6);
        const auto shown = policies.show(world.admin, "p").value();
        CHECK(shown.record.default_version == 6);
        CHECK(shown.versions == std::vector<std::int64_t>{1, 2, 3, 4, 6});
    }

    TEST_CASE("an attached policy cannot be deleted and shows its targets") {
        World world;
        auto& policies = world.registry->policies;
        world.thing();
        REQUIRE(policies.create(world.admin, "p", test::kAllowAll).has_value());
        for (const TargetName& target :
             {TargetName{TargetKind::thing, "7b/otter/weather"},
              TargetName{TargetKind::project, "7b/otter"}, TargetName{TargetKind::class_, "7b"}}) {
            CHECK(policies.attach(world.admin, "p", target).value().value.name == target.name);
        }
        CHECK(policies.show(world.admin, "p").value().targets.size() == 3);
        CHECK(policies.remove(world.admin, "p").error().number == "E3127");
        for (const TargetName& target : policies.show(world.admin, "p").value().targets) {
            REQUIRE(policies.detach(world.admin, "p", target).has_value());
        }
        CHECK(policies.remove(world.admin, "p").has_value());
        CHECK(policies.show(world.admin, "p").error().number == "E3120");
    }

    TEST_CASE("attaching tells the broker whose rights changed") {
        World world;
        const Provisioned made = world.thing();
        world.thing("heron", "door");
        REQUIRE(world.registry->policies.create(world.admin, "p", test::kAllowAll).has_value());
        world.listener.calls.clear();
        REQUIRE(world.registry->policies.attach(world.admin, "p", {TargetKind::project, "7b/otter"})
                    .has_value());
        REQUIRE(world.listener.calls.size() == 1);
        CHECK(world.listener.calls[0].scopes ==
              std::vector<std::string>{made.thing->id.format(kThingPrefix)});
    }
}

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

TEST_SUITE("provisioning.events") {
    TEST_CASE("events rise, are read from any point and marked up to one") {
        World world;
        world.thing();
        auto& events = world.registry->events;
        const auto all = events.after(world.admin, 0, 1000).value();
        for (std::size_t i = 1; i < all.size(); ++i) {
            CHECK(all[i].seq == all[i - 1].seq + 1);
        }
        CHECK(events.last_seq().value() == all.back().seq);
        CHECK(events.after(world.admin, all[2].seq, 2).value()[0].seq == all[3].seq);
        CHECK(events.unpublished(1000).value().size() == all.size());
        REQUIRE(events.mark_published(all[2].seq).has_value());
        CHECK(events.unpublished(1000).value().front().seq == all[3].seq);
        CHECK(events.after(world.admin, 0, 1000).value().size() == all.size());
    }

    TEST_CASE("published events are kept for 7 days, others until they are published") {
        World world;
        world.thing();
        auto& events = world.registry->events;
        const std::uint64_t last = events.last_seq().value();
        REQUIRE(events.mark_published(last - 1).has_value());
        world.clock.advance(std::chrono::hours{7 * 24 - 1});
        REQUIRE(world.registry->maintain().has_value());
        CHECK(events.after(world.admin, 0, 1000).value().size() == last);
        world.clock.advance(std::chrono::hours{2});
        REQUIRE(world.registry->maintain().has_value());
        const auto left = events.after(world.admin, 0, 1000).value();
        REQUIRE(left.size() == 1);
        CHECK(left[0].seq == last);
        world.thing("heron", "door");
        CHECK(events.after(world.admin, last, 1).value()[0].seq == last + 1);
    }

    TEST_CASE("whoever publishes is woken after the commit") {
        World world;
        int woken = 0;
        world.registry->set_events_hook([&] { ++woken; });
        world.thing();
        CHECK(woken == 1);
        REQUIRE(world.registry->things.create(world.admin, world.request()).has_error());
        CHECK(woken == 1);
    }
}
