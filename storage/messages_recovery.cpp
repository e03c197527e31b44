#include "storage/messages_recovery.hpp"

#include <string>

#include "storage/db.hpp"
#include "storage/messages_db.hpp"

namespace iotsky::storage {
namespace {

using State = broker::StoredMessage::State;

void read_subscriptions(Db& db, broker::Sid sid, broker::RecoveryVisitor& visitor) {
    Query query = db.query("SELECT filter, qos FROM subscriptions WHERE sid = ?1", sid);
    while (query.next()) {
        const auto filter = query.get<std::string_view>();
        visitor.on_subscription(filter, static_cast<std::uint8_t>(query.get<std::uint64_t>()));
    }
}

void read_messages(Query query, broker::RecoveryVisitor& visitor) {
    while (query.next()) {
        broker::StoredMessage message;
        query.get(message.mid);
        message.form = static_cast<broker::Form>(query.get<std::uint64_t>());
        message.qos = static_cast<std::uint8_t>(query.get<std::uint64_t>());
        const auto state = query.get<std::uint64_t>();
        if (state > static_cast<std::uint64_t>(State::received)) {
            query.damaged("unknown state of a message");
            return;
        }
        message.state = static_cast<State>(state);
        message.packet_id = static_cast<std::uint16_t>(query.get<std::uint64_t>());
        query.get(message.order);
        const bool gone = query.is_null();
        query.get(message.retain);
        query.get(message.topic);
        query.get(message.payload);
        if (gone && message.state != State::received) {
            query.damaged("a queued message is missing");
            return;
        }
        visitor.on_message(message);
    }
}

void read_queue(Db& db, broker::Sid sid, broker::RecoveryVisitor& visitor) {
    read_messages(db.query("SELECT mid, form, qos, state, packet_id, n, replay, topic, payload "
                           "FROM queue LEFT JOIN messages USING (mid) "
                           "WHERE sid = ?1 AND state <> 0 ORDER BY n",
                           sid),
                  visitor);
    read_messages(db.query("SELECT mid, form, qos, state, packet_id, n, replay, topic, payload "
                           "FROM queue LEFT JOIN messages USING (mid) "
                           "WHERE sid = ?1 AND state = 0 ORDER BY mid, form",
                           sid),
                  visitor);
}

void read_inbound(Db& db, broker::Sid sid, broker::RecoveryVisitor& visitor) {
    Query query = db.query("SELECT packet_id FROM inbound WHERE sid = ?1", sid);
    while (query.next()) {
        visitor.on_inbound(static_cast<std::uint16_t>(query.get<std::uint64_t>()));
    }
}

void read_will(Db& db, broker::Sid sid, broker::RecoveryVisitor& visitor) {
    Query query = db.query("SELECT topic, payload, qos, retain FROM wills WHERE sid = ?1", sid);
    if (query.next()) {
        const auto topic = query.get<std::string_view>();
        const auto payload = query.get<std::span<const std::byte>>();
        const auto qos = static_cast<std::uint8_t>(query.get<std::uint64_t>());
        visitor.on_will(topic, payload, qos, query.get<bool>());
    }
}

Result<void> outcome(const Db& db) {
    if (db.failed()) {
        return db.error();
    }
    return {};
}

}  // namespace

Result<void> recover_sessions(const std::filesystem::path& path, broker::RecoveryVisitor& visitor) {
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_only, kMessagesWords));
    Query sessions = db->query("SELECT sid, scope, client_id, epoch FROM sessions ORDER BY sid");
    while (sessions.next()) {
        const auto sid = sessions.get<broker::Sid>();
        const auto scope = sessions.get<std::string_view>();
        const auto client_id = sessions.get<std::string_view>();
        if (!visitor.on_session(sid, scope, client_id, sessions.get<std::uint64_t>())) {
            continue;
        }
        read_subscriptions(*db, sid, visitor);
        read_queue(*db, sid, visitor);
        read_inbound(*db, sid, visitor);
        read_will(*db, sid, visitor);
    }
    return outcome(*db);
}

Result<void> recover_retained(const std::filesystem::path& path,
                              const std::function<void(const broker::StoredRetained&)>& visit) {
    IOTSKY_TRY(db, Db::open(path, Db::Mode::read_only, kMessagesWords));
    Query query = db->query("SELECT topic, payload, qos, rev FROM retained");
    while (query.next()) {
        broker::StoredRetained retained;
        query.get(retained.topic);
        query.get(retained.payload);
        retained.qos = static_cast<std::uint8_t>(query.get<std::uint64_t>());
        query.get(retained.rev);
        visit(retained);
    }
    return outcome(*db);
}

}  // namespace iotsky::storage
