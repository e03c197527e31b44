#include <doctest/doctest.h>

#include <string>

#include "broker/age_marks.hpp"
#include "broker/project_queues.hpp"

using namespace iotsky::broker;
using namespace std::chrono_literals;
using iotsky::TimePoint;

TEST_SUITE("broker.queue_limits") {
    TEST_CASE("numbers are old when a note of them is, each thread's for itself") {
        AgeMarks marks(2, 320s);
        CHECK(marks.interval() == 10s);
        const TimePoint start{1h};
        CHECK(marks.old_up_to(0, start) == 0);
        for (int i = 0; i < 100; ++i) {
            marks.note(0, static_cast<Mid>(i + 1), start + i * 10s);
        }
        CHECK(marks.old_up_to(0, start + 319s) == 0);
        CHECK(marks.old_up_to(1, start + 10'000s) == 0);
        CHECK(marks.old_up_to(0, start + 990s) == 68);  // noted 320 s before
        CHECK(marks.old_up_to(0, start + 1'309s) == 99);
        CHECK(marks.old_up_to(0, start + 1'310s) == 100);
    }

    TEST_CASE("notes that say nothing more are forgotten") {
        AgeMarks marks(1, 32s);
        const TimePoint start{1h};
        marks.note(0, 1, start);
        marks.note(0, 2, start + 100s);
        marks.note(0, 3, start + 200s);
        CHECK(marks.old_up_to(0, start + 200s) == 2);
        CHECK(marks.old_up_to(0, start + 231s) == 2);
        CHECK(marks.old_up_to(0, start + 232s) == 3);
    }

    TEST_CASE("a thing's project is its path without its name; other names have none") {
        CHECK(project_of("7b/otter/weather") == "7b/otter");
        CHECK(project_of("weather").empty());
        CHECK(project_of("a/b").empty());
        CHECK(project_of("").empty());
    }

    TEST_CASE("a project has one queue for all who ask, and nobody's is forgotten") {
        ProjectQueues projects(2);
        const auto queue = projects.get("7b/otter");
        CHECK(projects.get("7b/otter") == queue);
        CHECK(projects.get("7b/heron") != queue);
        for (int i = 0; i < 2'000; ++i) {
            (void)projects.get("7b/p" + std::to_string(i));
        }
        CHECK(projects.size() < 600);
        CHECK(projects.get("7b/otter") == queue);
    }

    TEST_CASE("a project's queue is what all threads have of it") {
        ProjectQueue queue(3);
        queue.add(0, 100);
        queue.add(2, 20);
        CHECK(queue.bytes() == 120);
        queue.sub(0, 100);
        queue.add(1, 3);
        CHECK(queue.bytes() == 23);
    }
}
