#include "tests/support/random_records.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/bytes.hpp"

namespace iotsky::test {

using broker::Sid;
using State = broker::StoredMessage::State;

broker::RecordChunk RandomRecords::next() {
    const std::uint64_t steps = 1 + random_.below(12);
    for (std::uint64_t i = 0; i < steps || out_.empty(); ++i) {
        step();
    }
    return out_.take();
}

void RandomRecords::step() {
    const std::uint64_t dice = random_.below(100);
    if (sessions_.empty() || dice < 4) {
        open();
        return;
    }
    const Sid sid = any_session();
    if (dice < 7) {
        end(sid);
    } else if (dice < 45) {
        publish(sid);
    } else if (dice < 85) {
        go_on(sessions_.at(sid), sid);
    } else {
        change(sessions_.at(sid), sid);
    }
}

Sid RandomRecords::any_session() {
    auto at = sessions_.begin();
    std::advance(at, static_cast<std::ptrdiff_t>(random_.below(sessions_.size())));
    return at->first;
}

std::string RandomRecords::topic() {
    return "t/" + std::to_string(random_.below(6));
}

void RandomRecords::open() {
    // One client has one session at a time; its next one has the same name.
    const std::string client = "c" + std::to_string(random_.below(8));
    for (const auto& [sid, session] : sessions_) {
        if (session.client_id == client) {
            end(sid);
            break;
        }
    }
    const Sid sid = next_sid_++;
    sessions_[sid].client_id = client;
    out_.add(broker::SessionOpenRecord{sid, "scope", client, 1});
}

void RandomRecords::end(Sid sid) {
    out_.add(broker::SessionEndRecord{sid});
    sessions_.erase(sid);
    dead_.push_back(sid);
}

void RandomRecords::publish(Sid publisher) {
    broker::PublishRecord r{};
    r.mid = next_mid_;
    next_mid_ += 1 + random_.below(300);
    r.qos = static_cast<std::uint8_t>(1 + random_.below(2));
    std::vector<broker::PublishTarget> targets;
    for (auto& [sid, session] : sessions_) {
        for (const auto form : {broker::Form::plain, broker::Form::me}) {
            if (random_.below(4) == 0) {
                targets.push_back({sid, r.qos, form});
                session.rows.push_back({r.mid, form, r.qos, State::queued, 0});
            }
        }
    }
    if (!dead_.empty() && random_.below(4) == 0) {
        targets.push_back({dead_[random_.below(dead_.size())], r.qos, broker::Form::plain});
    }
    if (r.qos == 2 && random_.below(2) == 0) {
        Session& session = sessions_.at(publisher);
        const auto id = static_cast<std::uint16_t>(1 + random_.below(9));
        if (std::find(session.inbound.begin(), session.inbound.end(), id) ==
            session.inbound.end()) {
            session.inbound.push_back(id);
            r.publisher = publisher;
            r.inbound_id = id;
        }
    }
    std::string name = topic();
    std::string payload = "p" + std::to_string(r.mid);
    if (random_.below(3) == 0) {
        r.retain = true;
        r.retained_rev = next_rev_++;
        payload = random_.below(3) == 0 ? "" : payload;
        if (late_values_ && held_rev_ == 0 && random_.below(3) == 0) {
            held_rev_ = next_rev_++;
            held_topic_ = name;
            std::swap(held_rev_, r.retained_rev);  // the older value comes later
        } else if (held_rev_ != 0 && random_.below(2) == 0) {
            name = held_topic_;
            r.retained_rev = std::exchange(held_rev_, 0);
        }
    }
    r.topic = name;
    r.payload = as_bytes(payload);
    r.targets = targets;
    if (!targets.empty() || r.retain || r.inbound_id != 0) {
        out_.add(r);
    }
}

/// A message of the session takes its next step.
void RandomRecords::go_on(Session& session, Sid sid) {
    if (session.rows.empty()) {
        return;
    }
    const std::size_t at = random_.below(std::min<std::size_t>(session.rows.size(), 3));
    Row& row = session.rows[at];
    const bool drops = random_.below(12) == 0;
    if (row.state == State::queued && !drops) {
        row.state = State::sent;
        row.packet_id = ++session.packet_id;
        out_.add(broker::SentRecord{sid, row.mid, row.form, row.packet_id, ++session.order});
    } else if (row.state == State::sent && row.qos == 2 && !drops) {
        row.state = State::received;
        out_.add(broker::ReceivedRecord{sid, row.mid, row.form, row.packet_id});
    } else {
        out_.add(broker::DoneRecord{sid, row.mid, row.form, broker::DoneWhy::acknowledged});
        session.rows.erase(session.rows.begin() + static_cast<std::ptrdiff_t>(at));
    }
}

void RandomRecords::change(Session& session, Sid sid) {
    const std::string filter = topic();
    switch (random_.below(9)) {
        case 0:
        case 1:
            out_.add(
                broker::SubscribeRecord{sid, filter, static_cast<std::uint8_t>(random_.below(3))});
            return;
        case 2:
            out_.add(broker::UnsubscribeRecord{sid, filter});
            return;
        case 3:
            out_.add(broker::WillRecord{sid, filter, as_bytes("gone"), 1, false});
            return;
        case 4:
            out_.add(broker::WillOffRecord{sid});
            return;
        case 5:
            out_.add(broker::SessionAwayRecord{sid, uptime_s_ += random_.below(100)});
            return;
        case 6:
            out_.add(broker::SessionAwayRecord{sid, std::nullopt});
            return;
        case 7:
            out_.add(broker::UptimeRecord{uptime_s_ += random_.below(100)});
            return;
        default:
            if (!session.inbound.empty()) {
                out_.add(broker::ReleaseInRecord{sid, session.inbound.back()});
                session.inbound.pop_back();
            }
    }
}

}  // namespace iotsky::test
