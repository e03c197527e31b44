#include "broker/router.hpp"

#include <algorithm>
#include <iterator>

#include "broker/delivery_record.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

/// What the broker says of this run of itself; the next run says it anew.
bool is_about_this_run(const Publication& publication) {
    return publication.publisher == nullptr && publication.topic.starts_with("$SYS/");
}

}  // namespace

Router::Router(Shard::Impl& shard) : s_(shard), outgoing_(shard.shared.threads) {}

Published Router::publish(const Publication& publication) {
    Published out;
    if (publication.publisher != nullptr) {  // not for what it causes: notices, answers
        mailbox_full_ = false;
    }
    if (s_.watches_pressure && publication.qos > 0 && publication.publisher != nullptr) {
        const Pressure pressure = pressure_on(publication);
        if (pressure == Pressure::full && s_.limits.queue_full == QueueFull::refuse) {
            out.refused = true;
            return out;
        }
        out.paced = pressure != Pressure::none && s_.limits.publish_pacing.count() > 0;
    }
    MessageView message{
        s_.next_mid(), publication.topic, publication.payload, publication.qos, false, 0, nullptr};
    message.droppable = publication.publisher == nullptr;
    if (publication.retain) {
        message.retained_rev = retain(publication);
    }
    const RouteEntry& route = s_.routes.find(publication.topic, s_.time.wall);
    // Asked before anything is written: whether the identifier of a QoS 2 message is recorded now
    // depends on the answer. What they say is sent behind the message itself.
    ServiceReplies replies;
    if (route.services) {
        replies = ask_services(route, publication, out.call);
    }
    BlobRef shared;
    if (publication.payload.size() >= kBlobBytesMin && !route.targets.empty()) {
        shared = BlobRef::copy_of(publication.payload);
        message.payload = shared.bytes();
        message.blob = &shared;
    }
    const TurnNo recorded = write_record(publication, route, message, out.call != 0);
    out.turn = replies.empty() ? recorded : s_.turn.current();  // they may have to be durable, too
    if (publication.packet != nullptr) {
        s_.protocol.on_accepted(*publication.publisher->connection, *publication.packet, out);
    }
    s_.delivery.new_message(recorded);
    distribute(route, message, shared);
    for (const ServiceReply& reply : replies) {
        (void)publish_internal(reply);
    }
    return out;
}

Pressure Router::pressure_on(const Publication& publication) {
    Pressure worst = Pressure::none;
    for (const Target& target : s_.routes.find(publication.topic, s_.time.wall).targets) {
        if (target.qos > 0) {
            worst = std::max(worst, s_.shared.pressure.get(target.session));
        }
    }
    return worst;
}

// The retained index first, then the route's stamp (inside find): the order of `dataplane.md` 3.
Rev Router::retain(const Publication& publication) {
    const Session* by =
        publication.publisher != nullptr ? publication.publisher : publication.will_of;
    const bool counts = by != nullptr && by->principal != nullptr;
    Retained value{std::string{publication.topic},
                   std::string{as_text(publication.payload)},
                   publication.qos,
                   0,
                   std::string{publication.publisher_name},
                   s_.time.wall,
                   counts ? by->principal : nullptr};
    const auto result =
        s_.shared.retained.put(std::move(value), counts ? by->identity->limits->retained_max : 0);
    if (result.put == RetainedIndex::Put::full) {
        s_.notices.retained_full(by, publication.topic);
    } else if (result.put == RetainedIndex::Put::owner_full) {
        s_.notices.thing_retains_enough(*by, publication.topic);
    }
    return result.rev;
}

// Written if and only if something of it must survive: a persistent target at QoS 1 or 2, a
// retained value, or the inbound identifier of a persistent session's QoS 2.
TurnNo Router::write_record(const Publication& publication, const RouteEntry& route,
                            const MessageView& message, bool inbound_later) {
    durable_targets_.clear();
    bool strict_target = false;
    if (publication.qos > 0 && route.persistent) {
        for (const Target& target : route.targets) {
            const std::uint8_t qos = std::min(publication.qos, target.qos);
            if (target.sid != 0 && qos > 0) {
                durable_targets_.push_back({target.sid, qos, target.form});  // [MQTT-4.5.0-1]
                strict_target = strict_target || !s_.shared.some_relaxed || !s_.log_keeps_up ||
                                !s_.shared.pressure.relaxed(target.session);
            }
        }
    }
    const bool inbound = publication.inbound_id != 0 && publication.publisher != nullptr &&
                         publication.publisher->persistent() && !inbound_later;
    const bool retains = message.retained_rev != 0 && !is_about_this_run(publication);
    if (durable_targets_.empty() && !inbound && !retains) {
        return 0;
    }
    const PublishRecord record{message.mid,
                               inbound ? publication.publisher->sid : 0,
                               inbound ? publication.inbound_id : std::uint16_t{0},
                               publication.qos,
                               retains,
                               false,
                               message.retained_rev,
                               publication.topic,
                               message.payload,
                               durable_targets_};
    const TurnNo turn = s_.turn.add(record);
    if (!waits_for_disk(publication, inbound, retains, strict_target)) {
        return 0;
    }
    if (inbound) {
        publication.publisher->last_turn = turn;
    }
    return turn;
}

// The strictest session that a message matched decides (`decisions.md` 17); of what it leaves
// beside queues, the publisher's own.
bool Router::waits_for_disk(const Publication& publication, bool inbound, bool retains,
                            bool strict_target) const {
    const Session* by =
        publication.publisher != nullptr ? publication.publisher : publication.will_of;
    return strict_target || ((inbound || retains) && (by == nullptr || !s_.answers_early(*by)));
}

void Router::distribute(const RouteEntry& route, const MessageView& message,
                        const BlobRef& shared) {
    local_targets_.clear();
    const auto& targets = route.targets;
    for (std::size_t begin = 0; begin < targets.size();) {
        const std::uint32_t thread = targets[begin].session.thread;
        std::size_t end = begin + 1;
        while (end < targets.size() && targets[end].session.thread == thread) {
            ++end;
        }
        const std::span group{targets.data() + begin, end - begin};
        if (thread == s_.id) {
            local_targets_.insert(local_targets_.end(), group.begin(), group.end());
        } else if (thread != kServiceThread) {  // services were asked before
            std::vector<std::byte>& mail = outgoing_[thread];
            if (mail.empty() && mail.capacity() == 0) {
                mail = s_.shared.mailboxes[thread]->take_buffer();
            }
            write_delivery(mail, message, shared, group);
            mailbox_full_ =
                mailbox_full_ || s_.shared.mailboxes[thread]->waiting_bytes() + mail.size() >
                                     s_.limits.mailbox_bytes_max;
        }
        begin = end;
    }
    // `route` may be rebuilt by what a delivery causes (a notice), so the targets were copied
    // first.
    std::vector<Target> local = std::move(local_targets_);
    for (const Target& target : local) {
        s_.delivery.deliver(message, target);
    }
    local_targets_ = std::move(local);  // keeps its capacity
}

// On the publisher's thread, in its turn: the records of the replies are in the batch that the
// acknowledgement waits for.
ServiceReplies Router::ask_services(const RouteEntry& route, const Publication& publication,
                                    std::uint32_t& call) {
    ServiceReplies all;
    const Identity* publisher =
        publication.publisher != nullptr ? publication.publisher->identity.get() : nullptr;
    const ServiceMessage message{publication.topic, publication.payload, publication.qos, publisher,
                                 s_.time.wall};
    ServiceCall open(s_.service_calls, call);
    for (const Target& target : route.targets) {
        if (target.kind == TargetKind::service) {
            ServiceReplies some =
                s_.shared.services.at(target.session.slot).on_publish(message, open);
            std::move(some.begin(), some.end(), std::back_inserter(all));
        }
    }
    return all;
}

TurnNo Router::publish_internal(const ServiceReply& reply) {
    Publication publication;
    publication.topic = reply.topic;
    publication.payload = as_bytes(reply.payload);
    publication.qos = reply.qos;
    publication.retain = reply.retain;
    publication.publisher_name = "iotsky";
    return publish(publication).turn;
}

void Router::discard_mailbox() {
    std::vector<MailChunk> chunks;
    s_.shared.mailboxes[s_.id]->drain(chunks);
    DeliveryRecord record;
    for (const MailChunk& chunk : chunks) {
        ByteReader in(chunk.bytes);
        while (read_delivery(in, record)) {
        }
    }
}

void Router::drain_mailbox() {
    std::vector<MailChunk> chunks;
    Mailbox& mailbox = *s_.shared.mailboxes[s_.id];
    mailbox.drain(chunks);
    DeliveryRecord record;
    for (MailChunk& chunk : chunks) {
        const TurnNo turn = chunk.batch != 0 ? s_.turn.depends_on(chunk.batch) : 0;
        ByteReader in(chunk.bytes);
        while (read_delivery(in, record)) {
            s_.delivery.new_message(turn);
            for (const Target& target : record.targets) {
                s_.delivery.deliver(record.message, target);
            }
        }
        chunk.bytes.clear();
    }
    s_.delivery.new_message(0);
    mailbox.recycle(std::move(chunks));
}

bool Router::has_mail() const noexcept {
    return std::any_of(outgoing_.begin(), outgoing_.end(),
                       [](const auto& mail) { return !mail.empty(); });
}

void Router::publish_mail(BatchNo batch) {
    for (unsigned thread = 0; thread < outgoing_.size(); ++thread) {
        if (!outgoing_[thread].empty()) {
            s_.shared.mailboxes[thread]->publish(
                {s_.id, batch, std::exchange(outgoing_[thread], {})});
        }
    }
}

}  // namespace iotsky::broker
