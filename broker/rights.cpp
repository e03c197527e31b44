#include "broker/rights.hpp"

#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

class RightsMessage final : public ControlMessage {
  public:
    RightsMessage(std::shared_ptr<RightsChange> change, RightsChange::Round round)
        : change_(std::move(change)), round_(round) {}
    void run(Shard& shard) override { shard.impl().rights.begin(std::move(change_), round_); }

  private:
    std::shared_ptr<RightsChange> change_;
    RightsChange::Round round_;
};

}  // namespace

RightsChange::RightsChange(Shared& shared, std::vector<std::string> scopes,
                           std::function<void()> effective)
    : shared_(shared), scopes_(std::move(scopes)), effective_(std::move(effective)) {}

void RightsChange::start() {
    post(Round::apply);
}

void RightsChange::post(Round round) {
    left_.store(shared_.threads, std::memory_order_relaxed);
    for (unsigned thread = 0; thread < shared_.threads; ++thread) {
        std::unique_ptr<ControlMessage> message =
            std::make_unique<RightsMessage>(shared_from_this(), round);
        if (!shared_.lanes[thread]->post(message)) {
            acknowledge(round);  // a thread that has stopped delivers nothing
        }
    }
}

void RightsChange::acknowledge(Round round) {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) != 1) {
        return;
    }
    if (round == Round::apply) {
        effective_();
        post(Round::settle);
    } else if (round == Round::settle) {
        post(Round::finish);
    }
}

void Rights::begin(std::shared_ptr<RightsChange> change, RightsChange::Round round) {
    switch (round) {
        case RightsChange::Round::apply:
            jobs_.push_back({std::move(change), 0});
            return;
        case RightsChange::Round::settle:
            // The mail of all earlier turns was published at their ends.
            change->acknowledge(round);
            return;
        case RightsChange::Round::finish:
            finishing_.push_back(std::move(change));
            return;
    }
}

void Rights::work() {
    std::size_t budget = s_.limits.slice;
    while (!jobs_.empty()) {
        Job& job = jobs_.front();
        const auto& scopes = job.change->scopes();
        while (job.next_scope < scopes.size()) {
            if (budget == 0) {
                return;
            }
            for (const SessionRef ref : s_.sessions.of_scope(scopes[job.next_scope])) {
                if (Session* session = s_.sessions.find(ref)) {
                    refresh(*session);
                    budget -= budget > 0 ? 1 : 0;
                }
            }
            ++job.next_scope;
        }
        const auto change = std::move(job.change);
        jobs_.pop_front();
        change->acknowledge(RightsChange::Round::apply);
    }
}

void Rights::after_mail() {
    for (const auto& change : std::exchange(finishing_, {})) {
        for (const std::string& scope : change->scopes()) {
            for (const SessionRef ref : s_.sessions.of_scope(scope)) {
                s_.sessions.find(ref)->recheck = false;
            }
        }
        change->acknowledge(RightsChange::Round::finish);
    }
}

void Rights::refresh(Session& session) {
    const Admission admission = s_.shared.identities.refresh(*session.identity);
    if (admission.code != mqtt::ConnectCode::accepted) {
        if (admission.revoked) {
            s_.session_end.seal(session);
        } else if (session.connection != nullptr) {
            s_.session_end.close(*session.connection, CloseReason::rights_revoked);
        }
        return;
    }
    acl::Attributes attributes = admission.identity->attributes;
    attributes.client_id = session.key.client_id;
    if (session.connection != nullptr) {
        const PeerInfo& peer = session.connection->transport->peer();
        attributes.source_ip = peer.address;
        if (!peer.server_name.empty()) {
            attributes.domain_name = peer.server_name;
        }
    }
    const bool other_limits = session.identity->limits != admission.identity->limits;
    session.identity = admission.identity;
    s_.throttle.apply(session, other_limits);
    session.rights = acl::AuthContext::make(admission.identity->rules, attributes,
                                            admission.identity->valid_until);
    if (session.connection != nullptr &&
        !session.rights->evaluate(acl::Action::connect, session.key.client_id, s_.time.wall)
             .allowed) {
        s_.session_end.close(*session.connection, CloseReason::rights_revoked);
        return;
    }
    session.recheck = true;
    s_.subscriptions.apply_rights(session);
    s_.outbox.recheck(session);
    if (session.connection != nullptr) {
        s_.protocol.watch_connected(*session.connection);  // valid_until may have come nearer
    }
}

bool Rights::may_receive(const Session& session, std::string_view topic) const {
    return session.rights == nullptr ||
           session.rights->evaluate(acl::Action::receive, topic, s_.time.wall).allowed;
}

}  // namespace iotsky::broker
