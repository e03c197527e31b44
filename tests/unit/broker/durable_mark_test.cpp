#include "broker/durable_mark.hpp"

#include <doctest/doctest.h>

using namespace iotsky::broker;

namespace {

class Counter final : public Waker {
  public:
    void wake() noexcept override { ++wakes; }
    int wakes = 0;
};

}  // namespace

TEST_SUITE("broker.durable_mark") {
    TEST_CASE("it only grows") {
        DurableMark mark(3);
        mark.publish(5);
        mark.publish(4);
        CHECK(mark.get() == 5);
    }

    TEST_CASE("a thread is woken once, when its batch is durable, and nobody with it") {
        DurableMark mark;
        Counter first;
        Counter second;
        mark.set_wakers({&first, &second});
        mark.wake_on(0, 2);
        mark.publish(1);
        CHECK(first.wakes == 0);
        mark.publish(3);
        mark.publish(4);
        CHECK(first.wakes == 1);
        CHECK(second.wakes == 0);
    }

    TEST_CASE("who comes to wait when it is durable already is woken at once") {
        DurableMark mark(2);
        Counter counter;
        mark.set_wakers({&counter});
        mark.wake_on(0, 2);
        CHECK(counter.wakes == 1);
        mark.publish(3);
        CHECK(counter.wakes == 1);
    }

    TEST_CASE("before there are threads and after they are gone nobody is woken") {
        DurableMark mark;
        mark.wake_on(0, 1);
        mark.publish(1);
        Counter counter;
        mark.set_wakers({&counter});
        mark.wake_on(0, 2);
        mark.set_wakers({});
        mark.publish(2);
        CHECK(mark.get() == 2);
        CHECK(counter.wakes == 0);
    }
}
