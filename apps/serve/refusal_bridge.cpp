#include "apps/serve/refusal_bridge.hpp"

#include <boost/json.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace iotsky::apps {
namespace {

provisioning::Refusal for_history(const broker::Refusal& refusal) {
    provisioning::Refusal out;
    out.at = refusal.time;
    out.number = refusal.number;
    out.action = refusal.what;
    out.identity = refusal.identity;
    out.thing_id = refusal.thing_id;
    out.thing = refusal.thing_id.empty() ? "" : refusal.identity;
    out.class_name = refusal.class_name;
    out.client_id = refusal.client_id;
    out.address = refusal.address;
    out.listener = refusal.listener;
    out.topic = refusal.topic;
    out.why = refusal.why;
    out.hint = refusal.how;
    out.count = refusal.count;
    return out;
}

void log_refusal(const broker::Refusal& refusal) {
    const bool limit = refusal.number.starts_with("E34");
    log::info(refusal.number, limit ? "limit reached" : refusal.what + " refused",
              {{"what", refusal.what},
               {"thing", refusal.identity},
               {"client", refusal.client_id},
               {"addr", refusal.address},
               {"topic", refusal.topic},
               {"rule", refusal.rule},
               {"reason", refusal.why},
               {"hint", refusal.how},
               {"count", refusal.count}});
}

constexpr std::string_view kDropped = "session.message_dropped";

/// A queue was full, or a message waited for too long.
bool is_loss(const broker::Refusal& refusal) {
    return refusal.number == "E3403" || refusal.number == "E3413";
}

/// Without a number: it is in no outbox.
std::string event_of(const broker::Refusal& refusal) {
    return boost::json::serialize(boost::json::object{{"at", format_utc(refusal.time)},
                                                      {"kind", kDropped},
                                                      {"body",
                                                       {{"code", refusal.number},
                                                        {"identity", refusal.identity},
                                                        {"client_id", refusal.client_id},
                                                        {"topic", refusal.topic},
                                                        {"rule", refusal.rule},
                                                        {"why", refusal.why},
                                                        {"how", refusal.how},
                                                        {"count", refusal.count}}}});
}

}  // namespace

void RefusalBridge::refused(const broker::Refusal& refusal) {
    {
        const LockGuard lock{mutex_};
        counts_[{refusal.what, refusal.number}] += refusal.count;
        if (refusal.what == "connect" && refusal.rule.empty()) {  // CONNACK said so
            connects_[{refusal.listener, refusal.number}] += refusal.count;
        }
    }
    if (refusal.rule == "tls") {  // told by the handshake doctor, before there was an identity
        failed_handshakes_.fetch_add(refusal.count, std::memory_order_relaxed);
        api::HandshakeFailure failure;
        failure.number = refusal.number;
        failure.address = refusal.address;
        failure.listener = refusal.listener;
        failure.certificate_name = refusal.identity;
        failure.server_name = refusal.server_name;
        failure.why = refusal.why;
        failure.how = refusal.how;
        failure.count = refusal.count;
        failure.time = refusal.time;
        handshakes_.add(std::move(failure));
        return;
    }
    if (refusal.what != "connect") {  // a refused CONNECT is logged where it happens
        log_refusal(refusal);
    }
    history_.add(for_history(refusal));
    if (publish_ && is_loss(refusal)) {
        publish_("$iotsky/events/" + std::string{kDropped}, event_of(refusal));
    }
}

std::vector<api::LabelledCount> RefusalBridge::connects() const {
    const LockGuard lock{mutex_};
    std::vector<api::LabelledCount> out;
    for (const auto& [labels, count] : connects_) {
        out.push_back({{labels.first, "refused", labels.second}, count});
    }
    return out;
}

std::vector<api::LabelledCount> RefusalBridge::counts() const {
    const LockGuard lock{mutex_};
    std::vector<api::LabelledCount> out;
    for (const auto& [labels, count] : counts_) {
        out.push_back({{labels.first, labels.second}, count});
    }
    return out;
}

}  // namespace iotsky::apps
