#include "broker/recovery.hpp"

#include "base/bytes.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {

void Recovery::run() {
    s_.shared.log.recover(*this);
    // A crash between the registry's commit and the sealing is closed here (`decisions.md` 12).
    for (const SessionRef ref : revoked_) {
        s_.session_end.end_session(*s_.sessions.find(ref));
    }
    s_.recovered_sessions = std::move(loaded_);
    s_.shared.recovering.fetch_sub(1, std::memory_order_acq_rel);
    s_.shared.recovering.notify_all();
}

bool Recovery::on_session(const StoredSession& stored) {
    if (home_thread(stored.scope, stored.client_id, s_.shared.threads) != s_.id) {
        return false;
    }
    const Admission admission = s_.shared.identities.recall(stored.scope);
    session_ = &s_.sessions.create({std::string{stored.scope}, std::string{stored.client_id}});
    session_->sid = stored.sid;
    session_->kept = true;
    session_->epoch = stored.epoch;
    session_->identity = admission.identity;
    if (session_->identity == nullptr) {
        session_->identity = std::make_shared<Identity>();
        session_->sealed = true;
    } else {
        acl::Attributes attributes = session_->identity->attributes;
        attributes.client_id = std::string{stored.client_id};
        session_->rights = acl::AuthContext::make(session_->identity->rules, attributes,
                                                  session_->identity->valid_until);
    }
    session_->limits = &s_.limits;
    s_.throttle.apply(*session_);
    s_.disk_queue.restore(*session_, stored.queue);
    if (stored.away_since_s) {
        session_->expires_at = s_.session_end.expiry_of(*stored.away_since_s);
    }
    (session_->sealed ? revoked_ : loaded_).push_back(session_->ref);
    s_.stats.sessions.add();
    s_.stats.sessions_persistent.add();
    s_.shared.sessions.fetch_add(1, std::memory_order_relaxed);
    return true;
}

void Recovery::on_subscription(std::string_view filter, std::uint8_t qos) {
    if (!session_->sealed) {
        s_.subscriptions.restore(*session_, filter, qos);
    }
}

void Recovery::on_inbound(std::uint16_t packet_id) {
    session_->inbound.insert(packet_id);
}

void Recovery::on_will(std::string_view topic, std::span<const std::byte> payload, std::uint8_t qos,
                       bool retain) {
    session_->will = Will{std::string{topic}, std::string{as_text(payload)}, qos, retain};
}

}  // namespace iotsky::broker
