#include "storage/queue_reader.hpp"

#include <algorithm>

#include "storage/db.hpp"

namespace iotsky::storage {
namespace {

using State = broker::StoredMessage::State;

broker::StoredMessage message_of(Query& query) {
    broker::StoredMessage message;
    query.get(message.mid);
    message.form = static_cast<broker::Form>(query.get<std::uint64_t>());
    message.qos = static_cast<std::uint8_t>(query.get<std::uint64_t>());
    const auto state = query.get<std::uint64_t>();
    message.state = static_cast<State>(state);
    message.packet_id = static_cast<std::uint16_t>(query.get<std::uint64_t>());
    query.get(message.order);
    const bool gone = query.is_null();
    query.get(message.retain);
    query.get(message.topic);
    query.get(message.payload);
    if (state > static_cast<std::uint64_t>(State::received)) {
        query.damaged("unknown state of a message");
    } else if (gone && message.state != State::received) {
        query.damaged("a queued message is missing");
    }
    return message;
}

void read_in_flight(Db& db, broker::Sid sid, broker::QueuePage& page) {
    Query query = db.query(
        "SELECT mid, form, qos, state, packet_id, n, replay, topic, payload "
        "FROM queue LEFT JOIN messages USING (mid) WHERE sid = ?1 AND state <> 0 ORDER BY n",
        sid);
    while (query.next()) {
        page.in_flight.push_back(message_of(query));
    }
}

void read_queued(Db& db, const broker::QueueRead& read, broker::QueuePage& page) {
    broker::Mid first = read.ranges.front().first;
    broker::Mid last = 0;
    for (const broker::MidRange& range : read.ranges) {
        first = std::min(first, range.first);
        last = std::max(last, range.last);
    }
    page.read_to = last;
    Query query = db.query(
        "SELECT mid, form, qos, state, packet_id, n, replay, topic, payload "
        "FROM queue LEFT JOIN messages USING (mid) "
        "WHERE sid = ?1 AND mid >= ?2 AND mid <= ?3 AND state = 0 ORDER BY mid, form",
        read.sid, first, last);
    std::size_t bytes = 0;
    while (query.next()) {
        broker::StoredMessage message = message_of(query);
        const bool full = page.queued.size() >= read.messages_max || bytes >= read.bytes_max;
        // Both forms of a message are in one page, which is taken by numbers.
        if (full && !page.queued.empty() && page.queued.back().mid != message.mid) {
            page.read_to = message.mid - 1;
            return;
        }
        const auto wanted = [&](const broker::MidRange& range) { return range.holds(message.mid); };
        if (std::any_of(read.ranges.begin(), read.ranges.end(), wanted)) {
            bytes += broker::queue_cost(message.topic.size(), message.payload.size());
            page.queued.push_back(std::move(message));
        }
    }
}

}  // namespace

Result<broker::QueuePage> read_queue(Db& db, const broker::QueueRead& read) {
    db.reset();
    broker::QueuePage page;
    db.run("BEGIN");
    if (read.in_flight) {
        read_in_flight(db, read.sid, page);
    }
    if (!read.ranges.empty()) {
        read_queued(db, read, page);
    }
    db.run("COMMIT");
    if (db.failed()) {
        return db.error();
    }
    return page;
}

}  // namespace iotsky::storage
