#include "acl/action.hpp"

#include <doctest/doctest.h>

using namespace iotsky::acl;

namespace {
ActionSet set_of(std::initializer_list<Action> actions) {
    ActionSet set;
    for (const Action action : actions) {
        set.add(action);
    }
    return set;
}
}  // namespace

TEST_SUITE("acl.action") {
    TEST_CASE("every action is found under its own name, in any letter case") {
        for (const Action action : all_actions()) {
            CAPTURE(to_string(action));
            CHECK(parse_action(to_string(action)) == action);
            CHECK(parse_action(to_string(action).substr(4)) == action);
            CHECK(match_actions(to_string(action)) == set_of({action}));
        }
        CHECK(parse_action("IOT:publish") == Action::publish);
        CHECK(parse_action("iot:") == std::nullopt);
        CHECK(parse_action("Publishh") == std::nullopt);
    }

    TEST_CASE("a pattern names every action it matches and no other") {
        ActionSet all;
        for (const Action action : all_actions()) {
            all.add(action);
        }
        CHECK(match_actions("*") == all);
        CHECK(match_actions("iot:*") == all);
        CHECK(match_actions("iot:Pub*") == set_of({Action::publish}));
        CHECK(match_actions("IOT:*PUBLISH") == set_of({Action::publish, Action::retain_publish}));
        CHECK(match_actions("iot:Re?eive") == set_of({Action::receive}));
        CHECK(match_actions("iot:*RetainedMessage*") ==
              set_of({Action::get_retained_message, Action::list_retained_messages}));
        CHECK(match_actions("iot:Publish?").empty());
        CHECK(match_actions("s3:*").empty());
        CHECK(match_actions("").empty());
    }

    TEST_CASE("the resource of an action has the prefix of its kind") {
        CHECK(resource_prefix(Action::connect) == "client/");
        CHECK(resource_prefix(Action::subscribe) == "topicfilter/");
        CHECK(resource_prefix(Action::receive) == "topic/");
        CHECK(resource_prefix(Action::update_job_execution) == "thing/");
        CHECK(resource_prefix(Action::list_named_shadows_for_thing).empty());
    }
}
