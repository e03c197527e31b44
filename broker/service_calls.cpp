#include "broker/service_calls.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/log.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

/// An answer on its way to the thread that called.
class Answer final : public ControlMessage {
  public:
    Answer(std::uint32_t call, std::optional<ServiceReplies> replies)
        : call_(call), replies_(std::move(replies)) {}
    void run(Shard& shard) override {
        ServiceCalls& calls = shard.impl().service_calls;
        if (replies_) {
            calls.finish(call_, *replies_);
        } else {
            calls.give_up(call_);
        }
    }

  private:
    std::uint32_t call_;
    std::optional<ServiceReplies> replies_;
};

void post(ControlLane& lane, std::uint32_t call, std::optional<ServiceReplies> replies) {
    std::unique_ptr<ControlMessage> answer = std::make_unique<Answer>(call, std::move(replies));
    (void)lane.post(answer);  // a thread that has stopped acknowledges nothing any more
}

}  // namespace

ServiceTicket::ServiceTicket(std::shared_ptr<ControlLane> lane, std::uint32_t call) noexcept
    : lane_(std::move(lane)), call_(call) {}

ServiceTicket& ServiceTicket::operator=(ServiceTicket&& other) noexcept {
    std::swap(lane_, other.lane_);
    std::swap(call_, other.call_);
    return *this;
}

ServiceTicket::~ServiceTicket() {
    if (lane_) {
        post(*lane_, call_, std::nullopt);
    }
}

void ServiceTicket::complete(ServiceReplies replies) {
    if (const auto lane = std::exchange(lane_, nullptr)) {
        post(*lane, call_, std::move(replies));
    }
}

ServiceTicket ServiceCall::later() {
    return calls_.open(number_);
}

ServiceTicket ServiceCalls::open(std::uint32_t& call) {
    if (call == 0) {
        do {
            ++last_;
        } while (last_ == 0 || calls_.contains(last_));
        call = last_;
        deadlines_.push_back({s_.time.now + s_.limits.service_timeout, call});
    }
    ++calls_[call].owed;
    return {s_.shared.lanes[s_.id], call};
}

void ServiceCalls::bind(std::uint32_t call, Session& session, const Publish& publish) {
    Call& it = calls_.at(call);
    it.session = session.ref;
    it.packet_id = publish.packet_id;
    it.qos = publish.qos;
    it.turn = publish.turn;
    it.topic = publish.topic;
    ++session.service_calls;
    if (session.service_calls >= s_.limits.service_calls_max && session.connection != nullptr) {
        // R1: it ends by itself, at the latest with the time limit.
        s_.sender.set_pause(*session.connection, &Connection::paused_for_service, true);
    }
}

std::uint32_t ServiceCalls::find(const Session& session, std::uint16_t packet_id) const {
    if (session.service_calls == 0) {
        return 0;
    }
    const auto found = std::find_if(calls_.begin(), calls_.end(), [&](const auto& entry) {
        const Call& call = entry.second;
        return call.session == session.ref && call.qos == 2 && call.packet_id == packet_id;
    });
    return found == calls_.end() ? 0 : found->first;
}

/// The call's session, which has one call less; null if it is gone or never was.
Session* ServiceCalls::release(const Call& call) {
    Session* session = call.session.gen == 0 ? nullptr : s_.sessions.find(call.session);
    if (session == nullptr) {
        return nullptr;
    }
    --session->service_calls;
    Connection* c = session->connection;
    if (c != nullptr && c->paused_for_service &&
        session->service_calls < s_.limits.service_calls_max) {
        s_.sender.set_pause(*c, &Connection::paused_for_service, false);
    }
    return session;
}

void ServiceCalls::finish(std::uint32_t number, const ServiceReplies& replies) {
    TurnNo turn = 0;
    for (const ServiceReply& reply : replies) {
        turn = std::max(turn, s_.router.publish_internal(reply));
    }
    const auto found = calls_.find(number);
    if (found == calls_.end()) {
        return;  // given up
    }
    found->second.turn = std::max(found->second.turn, turn);
    if (--found->second.owed > 0) {
        return;
    }
    Call call = std::move(found->second);
    calls_.erase(found);
    Session* session = release(call);
    if (session == nullptr) {
        return;
    }
    if (call.qos == 2 && session->persistent()) {
        PublishRecord identifier{};
        identifier.mid = s_.next_mid();
        identifier.publisher = session->sid;
        identifier.inbound_id = call.packet_id;
        identifier.qos = 2;
        identifier.topic = call.topic;
        call.turn = std::max(call.turn, s_.record(*session, identifier));
    }
    if (session->connection != nullptr) {
        s_.sender.answered(*session->connection, number, call.turn);
    }
}

/// Not acknowledged: whether the service did its work is not known, so the client has to ask again.
void ServiceCalls::give_up(std::uint32_t number) {
    const auto found = calls_.find(number);
    if (found == calls_.end()) {
        return;
    }
    const Call call = std::move(found->second);
    calls_.erase(found);
    log::warn("E3408", "service does not answer", {{"topic", call.topic}});
    s_.stats.service_timeouts.add();
    Session* session = release(call);
    if (session == nullptr) {
        return;
    }
    if (call.qos == 2) {
        session->inbound.erase(call.packet_id);
    }
    Connection* c = session->connection;
    if (c != nullptr && c->gate.waits_for(number)) {
        s_.notices.service_silent(*session, call.topic);
        s_.session_end.close(*c, CloseReason::service_timeout);
    }
}

void ServiceCalls::on_time(TimePoint now) {
    while (!deadlines_.empty() && deadlines_.front().at <= now) {
        const std::uint32_t number = deadlines_.front().call;
        deadlines_.pop_front();
        give_up(number);
    }
}

std::optional<TimePoint> ServiceCalls::next() const {
    return calls_.empty() ? std::nullopt : std::optional{deadlines_.front().at};
}

}  // namespace iotsky::broker
