#include "storage/retained_tombstones.hpp"

#include <doctest/doctest.h>

using namespace iotsky;
using namespace iotsky::storage;

TEST_SUITE("storage.retained_tombstones") {
    TEST_CASE("an older value does not come back behind its deletion, a newer one does") {
        broker::OpenTurns turns;
        RetainedTombstones tombstones;
        tombstones.add({{"t", 10}}, turns.snapshot());
        CHECK_FALSE(tombstones.allows("t", 9));
        CHECK(tombstones.allows("t", 11));
        CHECK(tombstones.allows("other", 9));
    }

    TEST_CASE("a tombstone stays until every open turn is over and what it appended applied") {
        broker::OpenTurns turns;
        RetainedTombstones tombstones;
        turns.begin(0);
        turns.begin(3);
        tombstones.add({{"t", 10}}, turns.snapshot());
        tombstones.forget(turns, 5);
        turns.end(0);
        tombstones.forget(turns, 6);
        CHECK_FALSE(tombstones.allows("t", 9));
        turns.end(3);
        tombstones.forget(turns, 7);  // what thread 3 appended is in batch 8 at the latest
        CHECK_FALSE(tombstones.allows("t", 9));
        turns.begin(3);  // a later turn cannot hold an older value
        tombstones.forget(turns, 8);
        CHECK(tombstones.allows("t", 9));
        CHECK(tombstones.size() == 0);
    }

    TEST_CASE("threads that sleep hold no tombstone") {
        broker::OpenTurns turns;
        RetainedTombstones tombstones;
        tombstones.add({{"t", 10}}, turns.snapshot());
        tombstones.forget(turns, 1);
        tombstones.forget(turns, 2);
        CHECK(tombstones.size() == 0);
    }

    TEST_CASE("a topic that is deleted again keeps the later tombstone") {
        broker::OpenTurns turns;
        RetainedTombstones tombstones;
        tombstones.add({{"t", 10}}, turns.snapshot());
        tombstones.forget(turns, 1);
        turns.begin(1);
        tombstones.add({{"t", 20}}, turns.snapshot());
        tombstones.forget(turns, 2);  // the first one's time is over
        CHECK_FALSE(tombstones.allows("t", 15));
        turns.end(1);
        tombstones.forget(turns, 3);
        tombstones.forget(turns, 4);
        CHECK(tombstones.size() == 0);
    }
}
