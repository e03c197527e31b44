#include <doctest/doctest.h>

#include "tests/unit/provisioning/world.hpp"

using namespace iotsky;
using namespace iotsky::provisioning;
using iotsky::provisioning::test::World;

namespace {

constexpr const char* kOrder = R"({"class":"7b","project":"otter","name":"weather"})";

ChainOutcome step(World& world, const std::string& name, const std::string& event, ChainMode mode) {
    return world.registry->chain.run_step(world.admin, name, event, mode).value();
}

bool says(const std::string& event, const std::string& text) {
    return event.find(text) != std::string::npos;
}

}  // namespace

TEST_SUITE("provisioning.run_step") {
    TEST_CASE("a dry run of the whole chain shows every event and changes nothing") {
        World world;
        const std::string before = world.dump();
        const auto outcome =
            world.registry->chain.run_chain(world.admin, "create-thing", kOrder, ChainMode::dry_run)
                .value();
        CHECK(outcome.steps == std::vector<std::string>{"create_thing", "grant_rights",
                                                        "issue_certificate", "attach", "record",
                                                        "announce"});
        CHECK(outcome.events.size() == 6);
        CHECK(says(outcome.events.back(), R"("kind":"thing.provisioned")"));
        CHECK(says(outcome.events.back(), R"("serial":null)"));
        CHECK(world.dump() == before);
        CHECK(world.issuer.issued == 0);
    }

    TEST_CASE("the chain run for real makes the thing") {
        World world;
        const auto outcome =
            world.registry->chain.run_chain(world.admin, "create-thing", kOrder, ChainMode::real)
                .value();
        CHECK(outcome.private_key.has_value());
        CHECK(world.registry->things.show(world.admin, "7b/otter/weather")
                  .value()
                  .certificates.size() == 1);
    }

    TEST_CASE("steps can be run one by one, each on the event of the one before") {
        World world;
        std::string event = kOrder;
        for (const StepInfo& info : world.registry->chain.steps()) {
            CAPTURE(info.name);
            CHECK(info.summary != "");
            const auto outcome = step(world, info.name, event, ChainMode::real);
            REQUIRE(outcome.events.size() == 1);
            event = outcome.events[0];
        }
        CHECK(says(event, R"("kind":"thing.provisioned")"));
        const auto shown = world.registry->things.show(world.admin, "7b/otter/weather").value();
        REQUIRE(shown.certificates.size() == 1);
        CHECK(shown.certificates[0].status == CertificateStatus::active);
        for (const char* kind : {"thing.created", "rights.granted", "certificate.issued",
                                 "certificate.attached", "order.recorded", "thing.provisioned"}) {
            CAPTURE(kind);
            CHECK(world.events(kind) == 1);
        }
    }

    TEST_CASE("on an imagined registry any step runs alone on a sample event") {
        World world;
        const std::string before = world.dump();
        const std::string event =
            R"({"class":"9z","project":"p","name":"n",
                "thing":{"id":"th_00000000000000000000000001"},
                "certificate":{"id":"ce_00000000000000000000000002"}})";
        for (const char* name : {"grant_rights", "attach", "record", "announce"}) {
            CAPTURE(name);
            CHECK(step(world, name, event, ChainMode::scratch).events.size() == 1);
        }
        CHECK(step(world, "create_thing", R"({"class":"9z","project":"p","name":"n"})",
                   ChainMode::scratch)
                  .events.size() == 1);
        CHECK(world.dump() == before);
        CHECK(world.registry->chain.run_step(world.admin, "attach", event, ChainMode::dry_run)
                  .error()
                  .number == "E5245");
    }

    TEST_CASE("wrong events are refused with every wrong member") {
        World world;
        const auto refused = [&](const char* event) {
            return world.registry->chain
                .run_step(world.admin, "create_thing", event, ChainMode::dry_run)
                .error();
        };
        CHECK(refused("not json").number == "E4101");
        CHECK(refused("[]").number == "E4101");
        CHECK(refused("{}").number == "E4104");
        const Error error = refused(R"({"name":7,"clas":"7b","thing":{"id":"x","idd":1}})");
        CHECK(error.number == "E4104");
        std::vector<std::string> pointers;
        for (const FieldError& field : error.fields) {
            pointers.push_back(field.pointer);
        }
        CHECK(pointers == std::vector<std::string>{"/name", "/clas", "/thing/id", "/thing/idd"});
        CHECK(refused(R"({"name":"x","key":"gold"})").fields[0].pointer == "/key");
        CHECK(refused(R"({"name":"x","key":"csr"})").fields[0].pointer == "/csr");
        CHECK(world.registry->chain.run_step(world.admin, "nix", kOrder, ChainMode::dry_run)
                  .error()
                  .number == "E4129");
        CHECK(world.registry->chain.run_chain(world.admin, "nix", kOrder, ChainMode::dry_run)
                  .error()
                  .number == "E4129");
    }
}
