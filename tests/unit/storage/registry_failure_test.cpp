#include <doctest/doctest.h>

#include <algorithm>

#include "provisioning/names.hpp"
#include "tests/support/unreadable_store.hpp"
#include "tests/unit/provisioning/world.hpp"
#include "tests/unit/storage/failing_vfs.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::describe;
using iotsky::provisioning::test::describe_rebuilt;
using iotsky::provisioning::test::World;
using iotsky::storage::test::FailingVfs;
using iotsky::test::UnreadableStore;

namespace {

/// Runs `operation` with the n-th write failing, n = 0, 1, 2 ... until it succeeds; after each
/// failure everything must be as it was, and after healing it must succeed.
template <typename Operation>
int fail_each_write(FailingVfs& disk, World& world, FailingVfs::Kind kind, Operation operation) {
    for (int n = 0;; ++n) {
        CAPTURE(n);
        REQUIRE(n < 1000);
        const std::string before = world.dump();
        const std::string view_before = describe(world.registry->view());
        disk.fail_after(n, kind);
        const auto done = operation();
        const bool struck = disk.struck();
        disk.heal();
        if (done) {
            return n;
        }
        REQUIRE(struck);
        // A failed sync is an I/O error also where writes find the disk full.
        CHECK((done.error().number == "E5304" ||
               (kind == FailingVfs::Kind::disk_full && done.error().number == "E5301")));
        CHECK(done.error().how != "");
        // What may remain is a reserved serial without rights, which the sweep takes away.
        world.clock.advance(std::chrono::hours{1});
        REQUIRE(world.registry->maintain().has_value());
        CHECK(world.dump() == before);
        CHECK(describe(world.registry->view()) == view_before);
        CHECK(describe(world.registry->view()) == describe_rebuilt(*world.store));
    }
}

}  // namespace

TEST_SUITE("storage.failures") {
    TEST_CASE("whichever write fails while a thing is made, nothing is half-made") {
        for (const auto kind : {FailingVfs::Kind::io_error, FailingVfs::Kind::disk_full}) {
            FailingVfs disk;
            World world;
            const int writes = fail_each_write(disk, world, kind, [&] {
                return world.registry->things.create(world.admin, world.request());
            });
            CHECK(writes > 3);
            CHECK(world.registry->things.show(world.admin, "7b/otter/weather").has_value());
            CHECK(world.registry->audit.verify(world.admin).value().broken.has_value() == false);
        }
    }

    TEST_CASE("whichever write fails while a certificate is revoked, it is or it is not") {
        FailingVfs disk;
        World world;
        const Provisioned made = world.thing();
        fail_each_write(disk, world, FailingVfs::Kind::io_error, [&] {
            return world.registry->certificates.revoke(world.admin, made.certificate->serial,
                                                       "lost");
        });
        CHECK(world.view(made)->status == CertificateStatus::revoked);
    }

    TEST_CASE("whichever write fails in a roster chunk, the chunk is not there") {
        FailingVfs disk;
        World world;
        const std::string file = "name\nLena M.\nTom K.\n";
        RosterOptions options;
        options.thing = "weather";
        for (int n = 0;; ++n) {
            CAPTURE(n);
            REQUIRE(n < 1000);
            const std::string before = world.dump();
            disk.fail_after(n);
            auto result = world.registry->roster.import(world.admin, "7b", file, options);
            disk.heal();
            REQUIRE(result.has_value());
            if (result->created == 2) {
                break;
            }
            CHECK(result->problems == 2);
            CHECK(result->rows[0].number == "E5304");
            CHECK_FALSE(result->rows[0].private_key.has_value());
            world.clock.advance(std::chrono::hours{1});
            REQUIRE(world.registry->maintain().has_value());
            CHECK(world.dump() == before);
        }
    }

    TEST_CASE("if the registry cannot be read after a revocation, nobody keeps rights by it") {
        World world;
        const Provisioned made = world.thing();
        const Provisioned other = world.thing("heron", "door");
        RegistryView view;
        REQUIRE(view.load(*world.store).has_value());
        UnreadableStore unreadable(*world.store);
        Affected affected;
        affected.certificates.push_back(made.certificate->id);
        const Refreshed refreshed = view.refresh(unreadable, affected);
        REQUIRE_FALSE(refreshed.complete);
        CHECK(view.stale());
        const auto denied = view.find(*made.certificate->fingerprint);
        CHECK(denied->refusal(world.clock.wall_now()).has_value());
        CHECK(denied->rules() == nullptr);
        CHECK_FALSE(view.find(*other.certificate->fingerprint)
                        ->refusal(world.clock.wall_now())
                        .has_value());
        REQUIRE(view.load(*world.store).has_value());
        CHECK_FALSE(view.stale());
        CHECK_FALSE(
            view.find(*made.certificate->fingerprint)->refusal(world.clock.wall_now()).has_value());
    }

    TEST_CASE("while the registry cannot be read tokens are refused, but not as revoked") {
        World world;
        const Provisioned made = world.thing();
        const auto token = [&](Role role, const std::string& class_name) {
            return world.registry->tokens.create(world.admin, {"x", role, class_name, "", {}})
                .value();
        };
        const CreatedToken teacher = token(Role::teacher, "7b");
        const CreatedToken admin = token(Role::admin, "");
        const CreatedToken gone = token(Role::admin, "");
        REQUIRE(
            world.registry->tokens.revoke(world.admin, gone.details.record.id.format(kTokenPrefix))
                .has_value());
        RegistryView view;
        REQUIRE(view.load(*world.store).has_value());
        UnreadableStore unreadable(*world.store);
        const auto number = [&](const CreatedToken& which) {
            const auto found = view.tokens()->find(which.token.view());
            REQUIRE(found != nullptr);
            const auto refusal = found->refusal(world.clock.wall_now());
            return refusal ? refusal->number : std::string{};
        };
        const auto refresh = [&](const Affected& affected) {
            const Refreshed refreshed = view.refresh(unreadable, affected);
            CHECK_FALSE(refreshed.complete);
            return refreshed.scopes;
        };

        Affected thing;
        thing.things.push_back(made.thing->id);
        CHECK(refresh(thing) == std::vector<std::string>{made.thing->id.format(kThingPrefix)});
        CHECK(number(teacher) == "");
        CHECK_FALSE(view.tokens()->incomplete());

        Affected in_class;
        in_class.classes.push_back(*teacher.details.record.class_id);
        const auto scopes = refresh(in_class);
        CHECK(std::ranges::count(scopes, teacher.details.record.id.format(kTokenPrefix)) == 1);
        CHECK(number(teacher) == "E5304");
        CHECK_FALSE(view.tokens()->find(teacher.token.view())->revoked);
        CHECK(number(admin) == "");
        CHECK_FALSE(view.tokens()->incomplete());

        Affected tokens;
        tokens.tokens = true;
        CHECK(refresh(tokens) ==
              std::vector<std::string>{admin.details.record.id.format(kTokenPrefix)});
        CHECK(number(admin) == "E5304");
        CHECK(number(gone) == "E3309");
        CHECK(view.tokens()->incomplete());

        REQUIRE(view.load(*world.store).has_value());
        CHECK(number(teacher) == "");
        CHECK(number(admin) == "");
        CHECK(number(gone) == "E3309");
        CHECK_FALSE(view.tokens()->incomplete());
    }
}
