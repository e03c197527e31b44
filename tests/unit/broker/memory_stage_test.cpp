#include "broker/memory_stage.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace iotsky::broker;

TEST_SUITE("broker.memory_stage") {
    TEST_CASE("each stage begins above its mark, not at it") {
        CHECK(stage_of(0, 800) == MemoryStage::fine);
        CHECK(stage_of(800, 800) == MemoryStage::fine);
        CHECK(stage_of(801, 800) == MemoryStage::qos0);
        CHECK(stage_of(900, 800) == MemoryStage::qos0);
        CHECK(stage_of(901, 800) == MemoryStage::clean_queues);
        CHECK(stage_of(1000, 800) == MemoryStage::clean_queues);
        CHECK(stage_of(1001, 800) == MemoryStage::new_sessions);
        CHECK(stage_of(1200, 800) == MemoryStage::new_sessions);
        CHECK(stage_of(1201, 800) == MemoryStage::largest);
    }

    TEST_CASE("no mark is too large to be compared") {
        CHECK(stage_of(SIZE_MAX, SIZE_MAX) == MemoryStage::fine);
        CHECK(stage_of(SIZE_MAX, SIZE_MAX / 2) == MemoryStage::largest);
    }
}
