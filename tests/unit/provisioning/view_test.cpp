#include <doctest/doctest.h>

#include "acl/auth_context.hpp"
#include "provisioning/names.hpp"
#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::describe;
using iotsky::provisioning::test::describe_rebuilt;
using iotsky::provisioning::test::World;

namespace {

bool may_publish(World& world, const Provisioned& made, const std::string& topic) {
    const auto view = world.view(made);
    if (view->refusal(world.clock.wall_now()) || !view->rules()) {
        return false;
    }
    return acl::AuthContext::make(view->rules(), {}, view->valid_until)
        ->evaluate(acl::Action::publish, topic, world.clock.wall_now())
        .allowed;
}

/// One random operation on what there is; refusals are part of the game.
class RandomOperations {
  public:
    RandomOperations(World& world, std::uint64_t seed) : world_(world), random_(seed) {}

    void step() {
        Registry& registry = *world_.registry;
        const Caller& admin = world_.admin;
        switch (random_.below(14)) {
            case 0:
            case 1:
            case 2:
                note(registry.things.create(admin, world_.request(project(), thing())));
                break;
            case 3:
                note(registry.certificates.issue(admin, path(), key()));
                break;
            case 4:
                note(registry.certificates.renew(admin, certificate(), key()));
                break;
            case 5:
                static_cast<void>(registry.certificates.revoke(admin, certificate(), "lost"));
                break;
            case 6:
                static_cast<void>(registry.certificates.set_status(
                    admin, certificate(),
                    random_.below(2) == 0 ? CertificateStatus::suspended
                                          : CertificateStatus::active));
                break;
            case 7:
                static_cast<void>(registry.things.remove(admin, path()));
                break;
            case 8:
                rename();
                break;
            case 9:
                set_class();
                break;
            case 10:
                static_cast<void>(registry.policies.create(admin, policy(), test::kAllowConnect));
                break;
            case 11:
                static_cast<void>(registry.policies.add_version(admin, policy(), test::kAllowAll,
                                                                random_.below(2) == 0));
                break;
            case 12:
                static_cast<void>(registry.policies.attach(admin, policy(), target()));
                break;
            case 13:
                static_cast<void>(registry.policies.detach(admin, policy(), target()));
                break;
        }
    }

  private:
    std::string project() { return "p" + std::to_string(random_.below(2)); }
    std::string thing() { return "t" + std::to_string(random_.below(3)); }
    std::string path() { return "7b/" + project() + "/" + thing(); }
    std::string policy() { return "policy" + std::to_string(random_.below(2)); }
    std::string certificate() {
        return serials_.empty() ? "00" : serials_[random_.below(serials_.size())];
    }
    KeyRequest key() {
        KeyRequest request;
        request.revoke_old = random_.below(3) == 0;
        return request;
    }
    TargetName target() {
        switch (random_.below(4)) {
            case 0:
                return {TargetKind::class_, "7b"};
            case 1:
                return {TargetKind::project, "7b/" + project()};
            case 2:
                return {TargetKind::certificate, certificate()};
            default:
                return {TargetKind::thing, path()};
        }
    }
    void note(const Result<Provisioned>& made) {
        if (made) {
            serials_.push_back(made->certificate->serial);
        }
    }
    void rename() {
        ThingChange change;
        change.name = thing();
        change.type = std::optional<std::string>{"type" + std::to_string(random_.below(3))};
        change.attributes = Attributes{{"room", std::to_string(random_.below(9))}};
        static_cast<void>(world_.registry->things.change(world_.admin, path(), change));
    }
    void set_class() {
        ClassChange change;
        change.settings.strict_isolation = random_.below(2) == 0;
        change.settings.burst = static_cast<std::int64_t>(1 + random_.below(99));
        change.ends_on = parse_date(random_.below(2) == 0 ? "2027-02-05" : "2027-03-05");
        static_cast<void>(world_.registry->classes.set(world_.admin, "7b", change));
    }

    World& world_;
    SeededRandom random_;
    std::vector<std::string> serials_;
};

}  // namespace

TEST_SUITE("provisioning.registry_view") {
    TEST_CASE("after any operation the view equals one built from the database") {
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            CAPTURE(seed);
            World world;
            RandomOperations operations(world, seed);
            for (int i = 0; i < 150; ++i) {
                CAPTURE(i);
                operations.step();
                REQUIRE(describe(world.registry->view()) == describe_rebuilt(*world.store));
            }
            CHECK(world.registry->view().size() > 10);
        }
    }

    TEST_CASE("a revoked certificate is refused, its scope told as revoked, the others live on") {
        World world;
        const Provisioned made = world.thing();
        const Provisioned other = world.thing("heron", "door");
        world.listener.calls.clear();
        const auto done =
            world.registry->certificates.revoke(world.admin, made.certificate->serial, "lost")
                .value();
        CHECK(done.effective);
        CHECK(done.value.record.status == CertificateStatus::revoked);
        CHECK(world.view(made)->refusal(world.clock.wall_now())->number == "E3302");
        CHECK_FALSE(world.view(other)->refusal(world.clock.wall_now()).has_value());
        REQUIRE(world.listener.calls.size() == 1);
        CHECK(world.listener.calls[0].revoked);
        CHECK(world.listener.calls[0].scopes ==
              std::vector<std::string>{made.thing->id.format(kThingPrefix)});
    }

    TEST_CASE("the view is right before the broker is told") {
        World world;
        const Provisioned made = world.thing();
        class Looking final : public RightsListener {
          public:
            explicit Looking(World& world, const Provisioned& made) : world_(world), made_(made) {}
            void on_rights_changed(std::vector<std::string>, bool,
                                   std::function<void()> done) override {
                status = world_.view(made_)->status;
                done();
            }
            CertificateStatus status = CertificateStatus::active;

          private:
            World& world_;
            const Provisioned& made_;
        } looking(world, made);
        world.registry->set_rights_listener(&looking);
        REQUIRE(world.registry->certificates.revoke(world.admin, made.certificate->serial, "lost")
                    .has_value());
        CHECK(looking.status == CertificateStatus::revoked);
    }

    TEST_CASE("a broker that does not acknowledge in time makes the answer say so") {
        World world;
        const Provisioned made = world.thing();
        world.listener.acknowledges = false;
        const auto done =
            world.registry->certificates.revoke(world.admin, made.certificate->serial, "lost")
                .value();
        CHECK_FALSE(done.effective);
        CHECK(world.view(made)->status == CertificateStatus::revoked);
    }

    TEST_CASE("a new thing disturbs nobody") {
        World world;
        world.thing();
        world.listener.calls.clear();
        world.thing("heron", "door");
        CHECK(world.listener.calls.empty());
    }

    TEST_CASE("a class that has ended is refused, and an extension brings it back as it was") {
        World world;
        const Provisioned made = world.thing();
        CHECK(world.view(made)->valid_until == end_of(*parse_date("2027-02-05")));
        world.clock.advance(std::chrono::hours{24 * 80});
        const auto refusal = world.view(made)->refusal(world.clock.wall_now());
        CHECK(refusal->number == "E2102");
        CHECK(refusal->message == "Class 7b ended on 2027-02-05.");
        CHECK(world.registry->things.create(world.admin, world.request("otter", "x"))
                  .error()
                  .number == "E2102");
        const auto extended =
            world.registry->classes.extend(world.admin, "7b", *parse_date("2027-02-19")).value();
        CHECK(extended.value.certificates_too_short == 0);
        CHECK_FALSE(world.view(made)->refusal(world.clock.wall_now()).has_value());
    }

    TEST_CASE("an extension beyond the certificates says how many are too short") {
        World world;
        world.thing();
        const auto extended =
            world.registry->classes.extend(world.admin, "7b", *parse_date("2027-12-24")).value();
        CHECK(extended.value.certificates_too_short == 1);
    }

    TEST_CASE("strict isolation takes effect for every thing of the class at once") {
        World world;
        const Provisioned made = world.thing();
        CHECK(may_publish(world, made, "7b/commons/x"));
        ClassChange change;
        change.settings.strict_isolation = true;
        world.listener.calls.clear();
        REQUIRE(world.registry->classes.set(world.admin, "7b", change).has_value());
        CHECK_FALSE(may_publish(world, made, "7b/commons/x"));
        CHECK(may_publish(world, made, "7b/otter/weather/x"));
        CHECK(world.listener.calls.size() == 1);
        CHECK_FALSE(world.listener.calls[0].revoked);
    }

    TEST_CASE("a renewal keeps the session scope, of things and of services") {
        World world;
        const Provisioned made = world.thing();
        const auto renewed =
            world.registry->certificates.renew(world.admin, made.certificate->serial, {}).value();
        CHECK(world.view(renewed)->scope == world.view(made)->scope);
        ServiceRequest request;
        request.name = "grader";
        request.policy_document = test::kAllowAll;
        const auto service =
            world.registry->certificates.issue_service(world.admin, request).value();
        const auto next =
            world.registry->certificates.renew(world.admin, service.certificate->serial, {})
                .value();
        CHECK(world.view(next)->scope == world.view(service)->scope);
        CHECK(world.view(next)->scope != world.view(made)->scope);
        CHECK(world.view(next)->service == "grader");
        CHECK(may_publish(world, next, "anything"));
        const auto another =
            world.registry->certificates.issue_service(world.admin, request).value();
        CHECK(world.view(another)->scope != world.view(service)->scope);
    }

    TEST_CASE("a certificate for several things has its own scope and no default rights") {
        World world;
        const Provisioned made = world.thing();
        const Provisioned other = world.thing("heron", "door");
        REQUIRE(world.store
                    ->transact_void(
                        [&](Tx& tx) -> Result<void> {
                            tx.attach_thing(made.certificate->id, other.thing->id);
                            return {};
                        },
                        Ending::commit)
                    .has_value());
        RegistryView view;
        REQUIRE(view.load(*world.store).has_value());
        const auto entry = view.find(*made.certificate->fingerprint);
        CHECK(entry->scope == made.certificate->entry_id.format(kEntryPrefix));
        CHECK_FALSE(entry->thing.has_value());
    }

    TEST_CASE("a stored policy that cannot be read denies everything") {
        World world;
        REQUIRE(world.registry->policies.create(world.admin, "p", test::kAllowAll).has_value());
        ThingRequest request = world.request();
        request.policies = {"p"};
        const auto made = world.registry->things.create(world.admin, request).value();
        CHECK(may_publish(world, made, "anything"));
        REQUIRE(world.store
                    ->transact_void(
                        [&](Tx& tx) -> Result<void> {
                            auto policy = *tx.policy_by_name("p");
                            tx.insert(PolicyVersionRecord{policy.id, 2, "{broken", {}});
                            policy.default_version = 2;
                            tx.update(policy);
                            return {};
                        },
                        Ending::commit)
                    .has_value());
        RegistryView view;
        REQUIRE(view.load(*world.store).has_value());
        CHECK(view.find(*made.certificate->fingerprint)->rules() == nullptr);
    }
}
