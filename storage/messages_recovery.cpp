#include "storage/messages_recovery.hpp"

#include <string>

#include "storage/db.hpp"
#include "storage/messages_db.hpp"

namespace iotsky::storage {
namespace {

void read_subscriptions(Db& db, broker::Sid sid, broker::RecoveryVisitor& visitor) {
    Query query = db.query("SELECT filter, qos FROM subscriptions WHERE sid = ?1", sid);
    while (query.next()) {
        const auto filter = query.get<std::string_view>();
        visitor.on_subscription(filter, static_cast<std::uint8_t>(query.get<std::uint64_t>()));
    }
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
    Query sessions = db->query(
        "SELECT sid, scope, client_id, epoch, queued_messages, queued_bytes, away_since_s FROM "
        "sessions "
        "ORDER BY sid");
    while (sessions.next()) {
        broker::StoredSession session;
        sessions.read(session.sid, session.scope, session.client_id, session.epoch,
                      session.queue.messages, session.queue.bytes, session.away_since_s);
        if (visitor.on_session(session)) {
            read_subscriptions(*db, session.sid, visitor);
            read_inbound(*db, session.sid, visitor);
            read_will(*db, session.sid, visitor);
        }
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
