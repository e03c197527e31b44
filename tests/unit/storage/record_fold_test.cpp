#include "storage/record_fold.hpp"

#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "tests/support/records.hpp"

using namespace iotsky;
using namespace iotsky::storage;
using namespace iotsky::broker;
using iotsky::test::publish;
using iotsky::test::retain;

namespace {

/// Chunks of turns, folded together.
class Batch {
  public:
    template <typename... Records>
    Batch& turn(const Records&... records) {
        chunks_.push_back(iotsky::test::turn(records...));
        return *this;
    }
    /// Takes the chunks along: the result is views of them.
    struct Folded : FoldedBatch {
        std::vector<RecordChunk> chunks;
    };
    [[nodiscard]] Folded fold(const LiveSessions& live = {1, 2, 3}) {
        FoldedBatch batch = storage::fold(chunks_, live);
        return {std::move(batch), std::move(chunks_)};
    }

  private:
    std::vector<RecordChunk> chunks_;
};

PublishRecord inbound(Mid mid, Sid publisher, std::uint16_t id) {
    PublishRecord r{};
    r.mid = mid;
    r.publisher = publisher;
    r.inbound_id = id;
    r.qos = 2;
    r.topic = "t";
    return r;
}

constexpr PublishTarget kTo1{1, 1, Form::plain};
constexpr PublishTarget kTo1AsMe{1, 1, Form::me};
constexpr PublishTarget kTo2{2, 2, Form::plain};

DoneRecord done(Sid sid, Mid mid, Form form = Form::plain) {
    return {sid, mid, form, DoneWhy::acknowledged};
}

}  // namespace

TEST_SUITE("storage.record_fold") {
    TEST_CASE("a message that everybody acknowledged inside the batch vanishes") {
        const PublishTarget targets[] = {kTo1, kTo1AsMe, kTo2};
        const auto batch =
            Batch{}
                .turn(publish(256, targets))
                .turn(SentRecord{1, 256, Form::plain, 1, 1}, done(1, 256), done(1, 256, Form::me))
                .turn(done(2, 256))
                .fold();
        CHECK(batch.messages.empty());
        CHECK(batch.rows.empty());
        CHECK(batch.changes.empty());
        CHECK(batch.counters.mid == 256);
    }

    TEST_CASE("a message that somebody still waits for keeps one row for each who does") {
        const PublishTarget targets[] = {kTo1, kTo2};
        const auto batch = Batch{}.turn(publish(256, targets)).turn(done(1, 256)).fold();
        REQUIRE(batch.messages.size() == 1);
        CHECK(batch.messages[0].refs == 1);
        CHECK(as_text(batch.messages[0].payload) == "payload");
        REQUIRE(batch.rows.size() == 1);
        CHECK(batch.rows[0].key == QueueKey{2, 256, Form::plain});
        CHECK(batch.rows[0].qos == 2);
    }

    TEST_CASE("SENT and PUBREC go into the row that the batch makes") {
        const PublishTarget targets[] = {kTo1, kTo2};
        const auto batch =
            Batch{}
                .turn(publish(256, targets))
                .turn(SentRecord{2, 256, Form::plain, 9, 4}, ReceivedRecord{2, 256, Form::plain, 9})
                .fold();
        CHECK(batch.changes.empty());
        REQUIRE(batch.rows.size() == 2);
        CHECK(batch.rows[1].state == StoredMessage::State::received);
        CHECK(batch.rows[1].packet_id == 9);
        CHECK(batch.rows[1].order == 4);
        // PUBLISH is never sent to 2 again: only 1 needs the message.
        CHECK(batch.messages[0].refs == 1);
    }

    TEST_CASE("a message of which only PUBRELs are left has rows and no text") {
        const PublishTarget targets[] = {kTo2};
        const auto batch = Batch{}
                               .turn(publish(256, targets), SentRecord{2, 256, Form::plain, 9, 4},
                                     ReceivedRecord{2, 256, Form::plain, 9})
                               .fold();
        REQUIRE(batch.messages.size() == 1);
        CHECK(batch.messages[0].refs == 0);
        CHECK(batch.rows.size() == 1);
    }

    TEST_CASE("what happens to rows of earlier batches is one change for each") {
        const auto batch = Batch{}
                               .turn(SentRecord{1, 256, Form::plain, 5, 7})
                               .turn(ReceivedRecord{1, 256, Form::plain, 5})
                               .turn(done(1, 256), SentRecord{1, 512, Form::plain, 6, 8})
                               .fold();
        REQUIRE(batch.changes.size() == 2);
        CHECK(batch.changes[0].done);
        CHECK(batch.changes[1].sent);
        CHECK(batch.changes[1].packet_id == 6);
        CHECK(batch.changes[1].order == 8);
        CHECK_FALSE(batch.changes[1].done);
    }

    TEST_CASE("the last SUBSCRIBE or UNSUBSCRIBE of a filter wins") {
        const auto batch = Batch{}
                               .turn(SubscribeRecord{1, "a", 0}, UnsubscribeRecord{1, "b"})
                               .turn(SubscribeRecord{1, "a", 2}, SubscribeRecord{1, "b", 1})
                               .turn(SubscribeRecord{1, "c", 1}, UnsubscribeRecord{1, "c"})
                               .fold();
        REQUIRE(batch.subscriptions.size() == 3);
        CHECK(batch.subscriptions[0].qos == 2);
        CHECK(batch.subscriptions[1].qos == 1);
        // It may have been there before.
        CHECK_FALSE(batch.subscriptions[2].qos.has_value());
    }

    TEST_CASE("an identifier that is taken and released inside the batch leaves nothing") {
        const auto batch = Batch{}.turn(inbound(256, 1, 7)).turn(ReleaseInRecord{1, 7}).fold();
        CHECK(batch.inbound.empty());
    }

    TEST_CASE("an identifier of an earlier batch that is released and taken again stays") {
        const auto held = Batch{}.turn(ReleaseInRecord{1, 7}, inbound(256, 1, 7)).fold();
        REQUIRE(held.inbound.size() == 1);
        CHECK(held.inbound[0].held);
        const auto released =
            Batch{}.turn(ReleaseInRecord{1, 7}, inbound(256, 1, 7), ReleaseInRecord{1, 7}).fold();
        REQUIRE(released.inbound.size() == 1);
        CHECK_FALSE(released.inbound[0].held);
    }

    TEST_CASE("the highest revision of a retained topic wins, not the last record") {
        const auto batch = Batch{}
                               .turn(retain(256, "a", "newer", 9), retain(512, "b", "x", 3))
                               .turn(retain(257, "a", "older", 8), retain(513, "b", "", 4))
                               .fold();
        REQUIRE(batch.retained.size() == 2);
        for (const FoldedRetained& retained : batch.retained) {
            CHECK(as_text(retained.payload) == (retained.topic == "a" ? "newer" : ""));
            CHECK(retained.rev == (retained.topic == "a" ? 9 : 4));
        }
    }

    TEST_CASE("the end of a session cancels everything of it, whatever came behind") {
        const PublishTarget targets[] = {kTo1, kTo2};
        const auto batch = Batch{}
                               .turn(SubscribeRecord{1, "a", 1}, publish(256, targets),
                                     inbound(512, 1, 7), WillRecord{1, "w", {}, 0, false},
                                     SentRecord{1, 99, Form::plain, 5, 7}, SessionEndRecord{1})
                               .turn(publish(257, targets))
                               .fold();
        CHECK(batch.ended == std::vector<Sid>{1});
        CHECK(batch.subscriptions.empty());
        CHECK(batch.inbound.empty());
        CHECK(batch.wills.empty());
        CHECK(batch.changes.empty());
        CHECK(batch.messages.size() == 2);
        for (const FoldedRow& row : batch.rows) {
            CHECK(row.key.sid == 2);
        }
    }

    TEST_CASE("a session that opens and ends inside the batch leaves its number alone") {
        const auto batch = Batch{}
                               .turn(SessionOpenRecord{7, "s", "c", 1}, SubscribeRecord{7, "a", 1})
                               .turn(SessionEndRecord{7})
                               .fold();
        CHECK(batch.opened.empty());
        CHECK(batch.ended.empty());
        CHECK(batch.subscriptions.empty());
        CHECK(batch.counters.sid == 7);
    }

    TEST_CASE("nothing is written for a session that is not there") {
        const PublishTarget targets[] = {{9, 1, Form::plain}};
        const auto batch = Batch{}.turn(publish(256, targets), SubscribeRecord{9, "a", 1}).fold();
        CHECK(batch.messages.empty());
        CHECK(batch.rows.empty());
        CHECK(batch.subscriptions.empty());
    }

    TEST_CASE("a session that opens in the batch gets its messages") {
        const PublishTarget targets[] = {{9, 1, Form::plain}};
        const auto batch =
            Batch{}.turn(SessionOpenRecord{9, "s", "c", 1}).turn(publish(256, targets)).fold();
        CHECK(batch.opened.size() == 1);
        CHECK(batch.rows.size() == 1);
    }

    TEST_CASE("the last leave or return of a session wins, and uptime only grows") {
        const auto batch = Batch{}
                               .turn(SessionAwayRecord{1, 50}, SessionAwayRecord{2, 60})
                               .turn(SessionAwayRecord{1, std::nullopt}, UptimeRecord{55})
                               .turn(SessionAwayRecord{9, 40})  // is not there
                               .fold();
        REQUIRE(batch.away.size() == 2);
        CHECK_FALSE(batch.away[0].since_s.has_value());
        CHECK(batch.away[1].since_s == 60);
        CHECK(batch.counters.uptime_s == 60);
    }

    TEST_CASE("the last Will wins") {
        const auto batch = Batch{}
                               .turn(WillRecord{1, "w", as_bytes("1"), 0, false}, WillOffRecord{2})
                               .turn(WillRecord{1, "w", as_bytes("2"), 1, true})
                               .fold();
        REQUIRE(batch.wills.size() == 2);
        CHECK(as_text(batch.wills[0].will->payload) == "2");
        CHECK_FALSE(batch.wills[1].will.has_value());
    }
}
