#include "broker/notices.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "acl/explain.hpp"
#include "base/bytes.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

constexpr std::chrono::seconds kBetween{2};
constexpr std::chrono::seconds kWindow{60};
constexpr std::size_t kPerWindow = 20;
constexpr std::size_t kWaitingMax =
    16;  // distinct refusals of one identity; more are counted into the last

/// What raises a limit of the session's class.
std::string raise_it(const Session& session, std::string_view option) {
    return "raise it: iotsky class set " + session.identity->class_name + " " +
           std::string{option} + ".";
}

}  // namespace

std::string notice_json(const Refusal& refusal) {
    boost::json::object notice;
    notice["code"] = refusal.number;
    notice["what"] = refusal.what;
    notice["topic"] = refusal.topic;
    notice["why"] = refusal.why;
    notice["try"] = refusal.how;
    notice["count"] = refusal.count;
    notice["time"] = format_utc(refusal.time);
    return boost::json::serialize(notice);
}

Refusal Notices::refusal_of(const Session& session, std::string_view what, std::string_view topic,
                            Words words) const {
    Refusal refusal;
    refusal.number = std::move(words.number);
    refusal.rule = std::move(words.rule);
    refusal.why = std::move(words.why);
    refusal.how = std::move(words.how);
    refusal.what = what;
    refusal.identity = session.identity->name;
    refusal.thing_id = session.identity->thing_id;
    refusal.class_name = session.identity->class_name;
    refusal.client_id = session.key.client_id;
    if (session.connection != nullptr) {
        refusal.address = session.connection->transport->peer().address;
        refusal.listener = session.connection->transport->peer().listener;
    }
    refusal.topic = topic;
    refusal.time = s_.time.wall;
    return refusal;
}

void Notices::denied(const Session& session, acl::Action action, std::string_view topic,
                     std::string_view canonical, std::string_view what) {
    const bool subscribes = action == acl::Action::subscribe;
    if (subscribes) {
        s_.stats.refused_subscribe.add();
    }
    const acl::Explanation told = acl::explain(*session.rights, action, canonical, s_.time.wall);
    tell(session,
         !what.empty() ? what
         : subscribes  ? "subscribe"
                       : "publish",
         topic,
         {.number = told.number.empty() ? "E3101" : told.number,
          .rule = told.decided_by ? told.decided_by->name() : "no rule allows it",
          .why = told.why,
          .how = told.how.empty() ? told.nearest : told.how});
}

void Notices::refused_subscribe(const Session& session, std::string_view filter,
                                std::string_view why) {
    s_.stats.refused_subscribe.add();
    tell(session, "subscribe", filter,
         {.number = "E3106",
          .rule = "limit",
          .why = std::string{why},
          .how = "Subscribe to fewer or other topics."});
}

void Notices::too_many_levels(const Session& session, std::string_view what,
                              std::string_view topic) {
    tell(session, what, topic,
         {.number = "E3405",
          .rule = "topic levels limit",
          .why = "The topic has more levels than " + std::to_string(s_.limits.topic_levels_max) +
                 ", which is the limit here.",
          .how = "Use fewer slashes, or raise limits.topic_levels_max."});
}

void Notices::queue_full(const Session& session, std::string_view topic, Quota quota) {
    const bool of_class = session.queue_bytes_max < session.limits->queue_bytes_max;
    const auto bytes = [](std::size_t n) { return " (" + std::to_string(n) + " bytes)"; };
    Words words{
        .number = "E3403",
        .rule = "queue limit",
        .why = "The queue of this session is full" + bytes(session.queue_bytes_max) +
               "; a message was dropped.",
        .how = "Receive faster, or " + (of_class ? raise_it(session, "--queue-per-session N")
                                                 : std::string{"raise limits.queue_bytes_max."})};
    if (quota == Quota::project) {
        words.rule = "queue_bytes_per_project_max";
        words.why = "The queues of this project are full together" +
                    bytes(s_.limits.queue_bytes_per_project_max) + "; a message was dropped.";
        words.how =
            "Let the project's clients take their messages, or end sessions that nobody needs "
            "(iotsky session list).";
    } else if (quota == Quota::broker) {
        words.rule = "queue_bytes_broker_max";
        words.why = "The queues of this broker are full together" +
                    bytes(s_.limits.queue_bytes_broker_max) + "; a message was dropped.";
        words.how = "End sessions that nobody needs (iotsky session list), or raise the limit.";
    }
    tell(session, "queue", topic, std::move(words), When::later);
}

void Notices::waited_too_long(const Session& session, std::string_view topic) {
    tell(session, "queue", topic,
         {.number = "E3413",
          .rule = "queue_age_max",
          .why = "A message waited for " + std::to_string(s_.limits.queue_age_max.count()) +
                 " s and was dropped.",
          .how = "Connect more often, or raise limits.queue_age_max."},
         When::later);
}

void Notices::publishes_too_fast(const Session& session) {
    const ThingLimits& limits = *session.identity->limits;
    const std::string rate = std::to_string(limits.messages_per_second);
    const std::string delay_ms = std::to_string(std::max(1U, 1000 / limits.messages_per_second));
    tell(session, "rate", "",
         {.number = "E3401",
          .rule = "messages_per_second of class " + session.identity->class_name,
          .why = "More than " + rate + " messages a second (" + std::to_string(limits.burst) +
                 " at once); slowed down to " + rate + " a second.",
          .how = "Put delay(" + delay_ms + ") in loop(), or " +
                 raise_it(session, "--messages-per-second N")},
         When::later);
}

void Notices::subscribes_too_fast(const Session& session) {
    tell(session, "rate", "",
         {.number = "E3409",
          .rule = "subscription changes limit",
          .why = "More than " + std::to_string(s_.limits.subscription_changes_per_second) +
                 " subscriptions a second changed; slowed down to that.",
          .how = "Subscribe once, with wildcards, and keep the subscriptions."},
         When::later);
}

void Notices::payload_too_large(const Session& session, std::string_view what,
                                std::string_view topic, std::size_t bytes) {
    const Identity& identity = *session.identity;
    tell(session, what, topic,
         {.number = "E3402",
          .rule = "payload_max of class " + identity.class_name,
          .why = std::to_string(bytes) + " bytes; " +
                 std::to_string(identity.limits->payload_bytes_max) + " are allowed in class " +
                 identity.class_name + ".",
          .how = "Send less at a time, or " + raise_it(session, "--payload-max N")});
}

void Notices::thing_retains_enough(const Session& session, std::string_view topic) {
    tell(session, "retain", topic,
         {.number = "E3406",
          .rule = "retained_per_thing of class " + session.identity->class_name,
          .why = "This thing has " + std::to_string(session.identity->limits->retained_max) +
                 " retained messages already; this one was delivered but not kept.",
          .how = "Clear one (publish an empty retained message to its topic), or " +
                 raise_it(session, "--retained-per-thing N")},
         When::later);
}

void Notices::receiver_full(const Session& publisher, std::string_view topic) {
    tell(publisher, "publish", topic,
         {.number = "E3407",
          .rule = "queue_full = refuse",
          .why = "The queue of a receiver is full, so the message was not taken.",
          .how = "Connect and send it again later; the receiver has to take its messages first."});
}

void Notices::service_silent(const Session& publisher, std::string_view topic) {
    tell(publisher, "publish", topic,
         {.number = "E3408",
          .rule = "service_timeout",
          .why = "The broker's service for this topic did not answer in time.",
          .how = "Connect and send it again; if that stays so, look at the broker's log."});
}

void Notices::clone_refused(const Session& holder, std::string_view address) {
    const bool newest = s_.limits.clone_stays == CloneStays::newest;
    tell(holder, "clone", "",
         {.number = "E3301",
          .rule = "takeovers_max",
          .why = "Two boards use the identity " + holder.identity->name + " (" +
                 holder.connection->transport->peer().address + " and " + std::string{address} +
                 "). Only " + (newest ? "the newest" : "the first") + " stays.",
          .how = "Make a second thing for the other board: iotsky thing create CLASS/PROJECT/NAME"},
         When::later);
}

void Notices::retained_full(const Session* publisher, std::string_view topic) {
    if (publisher == nullptr) {
        return;
    }
    tell(*publisher, "retain", topic,
         {.number = "E3404",
          .rule = "retained limit",
          .why = "The broker holds as many retained messages as it may; this one was delivered but "
                 "not kept.",
          .how = "Clear retained messages that nobody needs (publish an empty retained message)."},
         When::later);
}

bool Notices::may_tell(Teller& teller, TimePoint now) {
    while (!teller.told.empty() && teller.told.front() + kWindow <= now) {
        teller.told.pop_front();
    }
    return teller.told.empty() ||
           (now >= teller.told.back() + kBetween && teller.told.size() < kPerWindow);
}

void Notices::tell(const Session& session, std::string_view what, std::string_view topic,
                   Words words, When when) {
    Refusal refusal = refusal_of(session, what, topic, std::move(words));
    Teller& teller = tellers_[session.identity->name];
    const std::string& root = session.identity->alias.reserved_root;
    teller.notice_topic = root.empty() ? std::string{} : root + "/notice";
    const auto same =
        std::find_if(teller.waiting.begin(), teller.waiting.end(), [&](const Waiting& w) {
            return w.refusal.number == refusal.number && w.refusal.what == refusal.what &&
                   w.refusal.topic == refusal.topic;
        });
    if (same != teller.waiting.end()) {
        ++same->refusal.count;
        ++same->untold;
        return;
    }
    if (teller.waiting.size() >= kWaitingMax) {
        ++teller.waiting.back().refusal.count;
        ++teller.waiting.back().untold;
        return;
    }
    s_.shared.refusals.refused(refusal);  // log and history know at once; only repetitions wait
    const bool now = teller.waiting.empty() && may_tell(teller, s_.time.now);
    if (now && when == When::now) {
        teller.told.push_back(s_.time.now);
        notify(teller, refusal);
        return;
    }
    teller.waiting.push_back({std::move(refusal), 0});
    const TimePoint at = now ? s_.time.now : s_.time.now + kBetween;
    due_ = due_ ? std::min(*due_, at) : at;
}

void Notices::notify(const Teller& teller, const Refusal& refusal) {
    if (teller.notice_topic.empty()) {
        return;
    }
    const std::string topic =
        teller.notice_topic;  // publishing may refuse something and grow the map
    const std::string json = notice_json(refusal);
    Publication notice;
    notice.topic = topic;
    notice.payload = as_bytes(json);
    notice.publisher_name = "iotsky";
    (void)s_.router.publish(notice);
}

void Notices::on_time(TimePoint now) {
    if (!due_ || *due_ > now) {
        return;
    }
    due_.reset();
    for (auto it = tellers_.begin(); it != tellers_.end();) {
        Teller& teller = it->second;
        if (!teller.waiting.empty() && may_tell(teller, now)) {
            Waiting due = std::move(teller.waiting.front());
            teller.waiting.erase(teller.waiting.begin());
            teller.told.push_back(now);
            notify(teller, due.refusal);
            if (due.untold > 0) {
                due.refusal.count = due.untold;
                s_.shared.refusals.refused(due.refusal);
            }
        }
        const bool waits = !teller.waiting.empty();
        if (waits || !teller.told.empty()) {
            const TimePoint at = now + kBetween;
            due_ = due_ ? std::min(*due_, at) : at;
        }
        (void)may_tell(teller, now);
        it = !waits && teller.told.empty() ? tellers_.erase(it) : std::next(it);
    }
}

std::optional<TimePoint> Notices::next() const {
    return due_;
}

}  // namespace iotsky::broker
