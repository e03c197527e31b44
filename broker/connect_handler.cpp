#include "broker/connect_handler.hpp"

#include <algorithm>
#include <array>

#include "acl/explain.hpp"
#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "broker/mqtt/encode.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

constexpr std::string_view kLogRefusal = "connect refused";

/// A transport on its way to its home thread.
class Adopt final : public ControlMessage {
  public:
    Adopt(std::unique_ptr<Transport> t, std::string scope, ConnectRequest request,
          std::span<const std::byte> rest, TimePoint accepted_at)
        : transport(std::move(t)),
          scope_(std::move(scope)),
          request_(std::move(request)),
          rest_(rest.begin(), rest.end()),
          accepted_at_(accepted_at) {}

    void run(Shard& shard) override {
        ConnectHandler& handler = shard.impl().connect_handler;
        if (waited_) {
            handler.waited(scope_, request_.client_id);
        } else if (handler.must_wait(scope_, request_.client_id)) {
            auto again = std::make_unique<Adopt>(std::move(*this));
            again->waited_ = true;
            post(shard.impl(), shard.id(), std::move(again));
            return;
        }
        handler.adopt(std::move(transport), request_, rest_, accepted_at_);
    }

    static void post(Shard::Impl& s, ThreadId home, std::unique_ptr<Adopt> message) {
        ListenerState& listener = s.shared.listener(message->transport->peer().listener);
        std::unique_ptr<ControlMessage> posted = std::move(message);
        if (!s.shared.lanes[home]->post(posted)) {
            static_cast<Adopt&>(*posted).transport->close();  // its home is stopping
            s.shared.connection_went(listener);
        }
    }

    std::unique_ptr<Transport> transport;

  private:
    std::string scope_;
    ConnectRequest request_;
    std::vector<std::byte> rest_;
    TimePoint accepted_at_;
    bool waited_ = false;  ///< for one turn, which read what had come from the client's connection
};

/// The client's wish, or the limit when it asks for more or for none.
std::uint16_t keep_alive_of(const mqtt::ConnectView& connect, const ConnectionLimits& limits) {
    const auto most =
        static_cast<std::uint16_t>(std::min<std::int64_t>(limits.keep_alive_max.count(), 0xffff));
    if (most == 0 || (connect.keep_alive_s != 0 && connect.keep_alive_s <= most)) {
        return connect.keep_alive_s;
    }
    return most;
}

std::vector<std::string_view> connect_attributes(const mqtt::ConnectView& connect) {
    std::vector<std::string_view> asked;
    if (!connect.clean_session) {
        asked.push_back(acl::kPersistentConnect);
    }
    if (connect.will) {
        asked.push_back(acl::kLastWill);
    }
    return asked;
}

}  // namespace

ConnectRequest::ConnectRequest(const mqtt::ConnectView& v)
    : level(v.protocol_level),
      clean_session(v.clean_session),
      keep_alive_s(v.keep_alive_s),
      client_id(v.client_id),
      user_name(v.user_name) {
    if (v.will) {
        will = Will{std::string{v.will->topic}, std::string{as_text(v.will->payload)},
                    static_cast<std::uint8_t>(v.will->qos), v.will->retain};
    }
    if (v.password) {
        password = std::string{as_text(*v.password)};
    }
}

mqtt::ConnectView ConnectRequest::view() const {
    mqtt::ConnectView v;
    v.protocol_level = level;
    v.clean_session = clean_session;
    v.keep_alive_s = keep_alive_s;
    v.client_id = client_id;
    if (will) {
        v.will = mqtt::WillView{will->topic, as_bytes(will->payload), mqtt::Qos{will->qos},
                                will->retain};
    }
    if (user_name) {
        v.user_name = *user_name;
    }
    if (password) {
        v.password = as_bytes(*password);
    }
    return v;
}

void ConnectHandler::refuse(Connection& connection, const Admission& why) {
    const PeerInfo& peer = connection.transport->peer();
    s_.stats.connects_refused.add();
    Refusal refusal;
    refusal.number = why.number;
    refusal.what = "connect";
    refusal.identity = why.identity ? why.identity->name : why.name;
    refusal.address = peer.address;
    refusal.listener = peer.listener;
    refusal.why = why.why;
    refusal.time = s_.time.wall;
    log::info(why.number, kLogRefusal,
              {{"thing", refusal.identity},
               {"addr", peer.address},
               {"listener", peer.listener},
               {"reason", why.why}});
    s_.shared.refusals.refused(refusal);
    s_.sender.connack_refused(connection, why.code);
    s_.session_end.close(connection, CloseReason::connect_refused);
}

// 128 random bits: nobody can guess it, and it never meets another client's.
std::string ConnectHandler::make_client_id() {
    std::array<std::uint8_t, 16> bytes{};
    s_.shared.random.fill(std::as_writable_bytes(std::span{bytes}));
    return "auto-" + to_hex(bytes);
}

void ConnectHandler::on_connect(Connection& c, const mqtt::ConnectView& connect,
                                std::span<const std::byte> rest) {
    // At least 23 bytes [MQTT-3.1.3-5].
    if (connect.client_id.size() > s_.limits.client_id_bytes_max) {  // [MQTT-3.1.3-9]
        refuse(c, {mqtt::ConnectCode::identifier_rejected,
                   nullptr,
                   "E3565",
                   "the Client Identifier is longer than " +
                       std::to_string(s_.limits.client_id_bytes_max) + " bytes",
                   {},
                   false});
        return;
    }
    const bool level_31 = connect.protocol_level == mqtt::kLevel31;  // has no empty ones
    if (connect.client_id.empty() && (!connect.clean_session || level_31)) {
        refuse(c, {mqtt::ConnectCode::identifier_rejected,
                   nullptr,
                   "E3560",
                   "an empty Client Identifier needs MQTT 3.1.1 and Clean Session 1 "
                   "[MQTT-3.1.3-8]",
                   {}});
        return;
    }
    if (s_.shared.recovering.load(std::memory_order_acquire) != 0) {
        refuse(c, {mqtt::ConnectCode::server_unavailable,
                   nullptr,
                   "E3564",
                   "the broker is still loading its sessions",
                   {},
                   false});
        return;
    }
    s_.recover();  // the last thread may have loaded its own in this turn: their clients left first
    const Admission admission = s_.shared.identities.admit(c.transport->peer(), connect);
    if (admission.code != mqtt::ConnectCode::accepted) {
        refuse(c, admission);
        return;
    }
    if (connect.client_id.empty()) {
        // [MQTT-3.1.3-6], [MQTT-3.1.3-7]: a name of ours; its home is this thread, it ends with the
        // connection.
        mqtt::ConnectView named = connect;
        const std::string id = make_client_id();
        named.client_id = id;
        admit(c, named);
        return;
    }
    const std::string& scope = admission.identity->scope;
    const ThreadId home = home_thread(scope, connect.client_id, s_.shared.threads);
    if (home == s_.id && !is_here(scope, connect.client_id)) {
        admit(c, connect);
    } else {
        hand_over(c, home, scope, connect, rest);
    }
}

bool ConnectHandler::is_here(std::string_view scope, std::string_view client_id) {
    const Session* session = s_.sessions.find(scope, client_id);
    return (session != nullptr && session->connection != nullptr) ||
           waiting_.contains(SessionKey::text(scope, client_id));
}

bool ConnectHandler::must_wait(std::string_view scope, std::string_view client_id) {
    if (!is_here(scope, client_id)) {
        return false;
    }
    waiting_.insert(SessionKey::text(scope, client_id));
    return true;
}

void ConnectHandler::waited(std::string_view scope, std::string_view client_id) {
    waiting_.erase(waiting_.find(SessionKey::text(scope, client_id)));
}

void ConnectHandler::hand_over(Connection& c, ThreadId home, const std::string& scope,
                               const mqtt::ConnectView& connect, std::span<const std::byte> rest) {
    s_.host.detach(*c.transport);
    Adopt::post(s_, home,
                std::make_unique<Adopt>(std::move(c.transport), scope, ConnectRequest(connect),
                                        rest, c.accepted_at));
    s_.stats.connections.sub();
    c.state = Connection::State::adopted;
    s_.connections.erase(c.ref);
}

void ConnectHandler::adopt(std::unique_ptr<Transport> transport, const ConnectRequest& request,
                           std::span<const std::byte> rest, TimePoint accepted_at) {
    ListenerState& listener = s_.shared.listener(transport->peer().listener);
    if (s_.shutting_down) {
        transport->close();
        s_.closed_transports.push_back(std::move(transport));
        s_.shared.connection_went(listener);
        return;
    }
    Connection& c = s_.connections.add(std::make_unique<Connection>(
        std::move(transport), s_.chunks, listener, listener.limits.packet_bytes_max, accepted_at));
    s_.stats.connections.add();
    s_.stats.adoptions.add();
    s_.host.attach(*c.transport, c.ref);
    const ConnRef ref = c.ref;
    s_.protocol.watch(c, accepted_at + listener.limits.connect_timeout);
    admit(c, request.view());
    if (!rest.empty()) {
        (void)s_.protocol.on_bytes(ref, rest);
    }
}

bool ConnectHandler::connect_allowed(Connection& c, const mqtt::ConnectView& connect,
                                     const Identity& identity, const acl::AuthContext& rights) {
    const auto asked = connect_attributes(connect);
    acl::RequestContext request;
    request.action = acl::Action::connect;
    request.resource = connect.client_id;
    request.now = s_.time.wall;
    request.connect_attributes = asked;
    if (rights.evaluate(request).allowed) {
        return true;
    }
    const acl::Explanation explanation = acl::explain(rights, request);
    refuse(c, {mqtt::ConnectCode::not_authorized,
               std::make_shared<Identity>(identity),
               explanation.number,
               explanation.what + " " + explanation.why,
               {}});
    return false;
}

// One step on the home thread (`dataplane.md` 1): look up again, evaluate, take over, open or
// resume, CONNACK.
void ConnectHandler::admit(Connection& c, const mqtt::ConnectView& connect) {
    const PeerInfo& peer = c.transport->peer();
    Admission admission = s_.shared.identities.admit(peer, connect);
    if (admission.code != mqtt::ConnectCode::accepted) {
        refuse(c, admission);
        return;
    }
    const std::shared_ptr<const Identity> identity = std::move(admission.identity);
    acl::Attributes attributes = identity->attributes;
    attributes.client_id = std::string{connect.client_id};
    attributes.source_ip = peer.address;
    if (!peer.server_name.empty()) {
        attributes.domain_name = peer.server_name;
    }
    auto rights = acl::AuthContext::make(identity->rules, attributes, identity->valid_until);
    for (const std::string& warning : rights->warnings()) {
        log::warn("E3114", "policy cannot be applied whole",
                  {{"thing", identity->name}, {"reason", warning}});
    }
    if (!connect_allowed(c, connect, *identity, *rights)) {
        return;
    }
    Session* const existing =
        s_.sessions.find(identity->scope, connect.client_id);  // [MQTT-3.1.3-2]
    const bool known = existing != nullptr;
    const bool needs_disk = !connect.clean_session && !s_.shared.log.accepting();
    const bool too_many =
        !known && s_.shared.sessions.load(std::memory_order_relaxed) >= s_.limits.sessions_max;
    const bool no_memory = !known && s_.memory_stage() >= MemoryStage::new_sessions;
    if (needs_disk || too_many || no_memory) {  // [MQTT-4.8.0-2]
        const char* number = too_many ? "E3563" : no_memory ? "E3566" : "E3561";
        const char* why =
            too_many    ? "as many sessions as are allowed exist already"
            : no_memory ? "queued messages fill the memory that they may have"
                        : "the message store takes nothing now, and a persistent session needs it";
        refuse(c, {mqtt::ConnectCode::server_unavailable, identity, number, why, {}, false});
        return;
    }
    if (known && existing->connection != nullptr && !may_take_over(c, *existing, identity)) {
        return;
    }
    bool present = false;
    Session& session =
        enter_session(existing, connect, *identity, c.listener.limits, present);  // [MQTT-3.1.4-3]
    const bool other_principal = present && session.identity->name != identity->name;
    session.identity = identity;
    session.rights = std::move(rights);
    session.connection = &c;
    session.limits = &c.listener.limits;
    set_durability(session);
    s_.session_end.come_back(session);
    ++session.epoch;
    c.session = &session;
    c.state = Connection::State::connected;
    c.level = connect.protocol_level;
    c.keep_alive_s = keep_alive_of(connect, c.listener.limits);
    c.connected_at = s_.time.wall;
    c.last_packet_at = s_.time.now;
    c.framer.set_packet_bytes_max(c.listener.limits.packet_bytes_max);
    s_.throttle.apply(session);
    set_will(session, connect);
    if (present) {
        s_.subscriptions.apply_rights(session);
        if (other_principal) {
            s_.outbox.recheck(session);  // only where ids are shared (`client_ids = "account"`)
        }
    }
    s_.stats.connects_accepted.add();
    c.listener.connects_accepted.fetch_add(1, std::memory_order_relaxed);
    log::info("", "client connected",
              {{"client", connect.client_id},
               {"thing", identity->name},
               {"addr", peer.address},
               {"listener", peer.listener},
               {"tls", peer.tls_version},
               {"resumed", present ? "yes" : "no"}});
    s_.protocol.watch_connected(c);
    s_.sender.connack_accepted(c, present, session.last_turn);
}

bool ConnectHandler::may_take_over(Connection& newcomer, Session& session,
                                   const std::shared_ptr<const Identity>& identity) {
    const std::string& holder = session.connection->transport->peer().address;
    const std::string& other = newcomer.transport->peer().address;
    // Principals that share Client Identifiers (`client_ids = "account"`) may go on, as AWS has it.
    const auto verdict = session.identity->name == identity->name
                             ? s_.clones.judge(session.key.text(), holder, other, s_.time.now)
                         : holder == other ? CloneBrake::Verdict::same_board
                                           : CloneBrake::Verdict::clone;
    if (verdict == CloneBrake::Verdict::refused) {
        s_.stats.clones_refused.add();
        s_.notices.clone_refused(session, other);
        refuse(newcomer, {mqtt::ConnectCode::identifier_rejected,
                          identity,
                          "E3301",
                          "another board (" + holder +
                              ") is connected with this identity and Client Identifier",
                          {},
                          false});
        return false;
    }
    (verdict == CloneBrake::Verdict::clone ? s_.stats.take_overs_clone
                                           : s_.stats.take_overs_same_board)
        .add();
    return true;
}

Session& ConnectHandler::enter_session(Session* existing, const mqtt::ConnectView& connect,
                                       const Identity& identity, const ConnectionLimits& limits,
                                       bool& present) {
    const bool on_disk = limits.durability != Durability::memory || !s_.shared.log.keeps_queues();
    if (existing != nullptr && existing->connection != nullptr) {
        // [MQTT-3.1.4-2]: the newer one stays.
        const SessionRef ref = existing->ref;
        s_.session_end.close(*existing->connection, CloseReason::taken_over);
        existing = s_.sessions.find(ref);  // a clean one ended with its connection
    }
    TurnNo ended = 0;
    // A session that memory alone has cannot be made to survive: it begins anew.
    const bool in_memory = existing != nullptr && existing->kept && !existing->persistent();
    if (existing != nullptr && (connect.clean_session || (in_memory && on_disk))) {
        // [MQTT-3.1.2-6]: CONNACK says that the old session is gone, so it waits until that is
        // durable: a crash must not bring it back. The stricter one of the two decides.
        const bool early = s_.answers_early(*existing) && limits.durability != Durability::durable;
        ended = existing->persistent() && !early ? s_.turn.current() : 0;
        s_.session_end.end_session(*existing);
        existing = nullptr;
    }
    present = existing != nullptr;  // [MQTT-3.2.2-1], [MQTT-3.2.2-2], [MQTT-3.2.2-3]
    if (existing != nullptr) {
        return *existing;  // [MQTT-3.1.2-4]
    }
    Session& session = s_.sessions.create({identity.scope, std::string{connect.client_id}});
    session.created_at = s_.time.wall;
    session.last_turn = ended;
    s_.stats.sessions.add();
    s_.shared.sessions.fetch_add(1, std::memory_order_relaxed);
    session.durability = limits.durability;
    session.kept = !connect.clean_session;
    if (session.kept) {
        s_.stats.sessions_persistent.add();
    }
    if (session.kept && on_disk) {
        session.sid = s_.shared.next_sid.fetch_add(1, std::memory_order_relaxed);
        s_.record(session,
                  SessionOpenRecord{session.sid, session.key.scope, session.key.client_id, 1});
    }
    return session;
}

/// What its listener says; but what is on disk stays there, and is relaxed at least.
void ConnectHandler::set_durability(Session& session) {
    const bool was_relaxed = session.durability != Durability::durable;
    const Durability wanted = session.limits->durability;
    const bool stays = session.persistent() && s_.shared.log.keeps_queues();
    session.durability = stays && wanted == Durability::memory ? Durability::relaxed : wanted;
    if (was_relaxed && session.durability == Durability::durable) {
        session.last_turn = s_.turn.current();  // CONNACK says that all up to now is on disk
    }
    if (session.persistent() && s_.shared.some_relaxed) {
        s_.shared.pressure.set_relaxed(session.ref, session.durability != Durability::durable);
    }
}

void ConnectHandler::set_will(Session& session, const mqtt::ConnectView& connect) {
    if (!connect.will) {
        return;
    }
    const auto topic = session.identity->alias.expand_topic(connect.will->topic);
    const auto now = s_.time.wall;
    const auto allowed = [&](acl::Action action) {
        return topic && session.rights->evaluate(action, *topic, now).allowed;
    };
    const bool publish = allowed(acl::Action::publish);
    if (!publish || (connect.will->retain && !allowed(acl::Action::retain_publish))) {
        // Connected all the same; the Will is dropped and that is told (`decisions.md` 8).
        s_.stats.refused_will.add();
        s_.notices.denied(session, publish ? acl::Action::retain_publish : acl::Action::publish,
                          connect.will->topic, topic.value_or(std::string{connect.will->topic}),
                          "will");
        return;
    }
    const auto& limits = session.identity->limits;
    if (limits && connect.will->payload.size() > limits->payload_bytes_max) {
        s_.stats.refused_will.add();
        s_.notices.payload_too_large(session, "will", connect.will->topic,
                                     connect.will->payload.size());
        return;
    }
    session.will = Will{*topic, std::string{as_text(connect.will->payload)},
                        static_cast<std::uint8_t>(connect.will->qos), connect.will->retain};
    if (session.persistent()) {
        s_.record(session,
                  WillRecord{session.sid, session.will->topic, as_bytes(session.will->payload),
                             session.will->qos, session.will->retain});
    }
}

}  // namespace iotsky::broker
