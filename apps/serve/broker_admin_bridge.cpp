#include "apps/serve/broker_admin_bridge.hpp"

#include <algorithm>
#include <charconv>

#include "apps/serve/broker_stats.hpp"
#include "base/text.hpp"

namespace iotsky::apps {
namespace {

using broker::ConnectionSummary;
using broker::SessionSummary;

constexpr std::size_t kVisits = 4096;

template <typename Summary>
std::string thing_path(const Summary& summary) {
    return summary.thing_id.empty() ? std::string{} : summary.identity;
}

/// What connections and sessions have in common.
template <typename Summary>
bool selects_identity(const api::ClientSelector& which, const Summary& summary) {
    const std::string path = thing_path(summary);
    const auto parts = split(path, '/');
    const auto equal = [](const std::optional<std::string>& wanted, std::string_view have) {
        return !wanted || *wanted == have;
    };
    return equal(which.class_name, summary.class_name) && equal(which.thing_path, path) &&
           (!which.project || (parts.size() == 3 && parts[1] == *which.project)) &&
           equal(which.client_id, summary.client_id) && equal(which.identity, summary.identity);
}

std::string_view to_string(broker::Durability durability) noexcept {
    switch (durability) {
        case broker::Durability::durable:
            return "durable";
        case broker::Durability::relaxed:
            return "relaxed";
        case broker::Durability::memory:
            break;
    }
    return "memory";
}

api::SessionInfo info_of(const SessionSummary& summary) {
    api::SessionInfo info;
    info.id = format_session(summary.ref);
    info.client_id = summary.client_id;
    info.identity = summary.identity;
    info.thing_path = thing_path(summary);
    info.connected = summary.connected;
    info.clean_session = summary.clean_session;
    info.durability = to_string(summary.durability);
    info.queue_bytes_max = summary.queue_bytes_max;
    info.dropped_quota = summary.dropped_quota;
    info.dropped_expired = summary.dropped_expired;
    info.dropped_denied = summary.dropped_denied;
    info.dropped_slow = summary.dropped_output;
    info.since = summary.since;
    info.subscriptions = summary.filters.size();
    info.queued_messages = summary.queued_messages;
    info.queued_bytes = summary.queued_bytes;
    info.inflight = summary.in_flight;
    for (const SessionSummary::Filter& filter : summary.filters) {
        info.filters.push_back({filter.filter, filter.qos});
    }
    return info;
}

api::RetainedInfo info_of(const broker::Retained& retained) {
    return {retained.topic, retained.qos, retained.payload.size(),
            retained.payload.substr(0, api::kRetainedPreviewBytes), retained.set_at};
}

Error no_session() {
    return make_error(Errc::not_found, "E4130", "There is no such session.",
                      "It has ended, or the id is mistyped.", "iotsky session list");
}

}  // namespace

bool selects(const api::ClientSelector& which, const ConnectionSummary& summary) {
    return selects_identity(which, summary) &&
           (!which.listener || *which.listener == summary.listener) &&
           (!which.address || *which.address == summary.address) &&
           (!which.certificate || *which.certificate == summary.certificate_id);
}

bool selects(const api::ClientSelector& which, const SessionSummary& summary) {
    return selects_identity(which, summary);
}

std::string format_session(broker::SessionRef ref) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text = "s";
    for (int shift = 60; shift >= 0; shift -= 4) {
        text += kHex[(ref.packed() >> static_cast<unsigned>(shift)) & 15U];
    }
    return text;
}

std::optional<broker::SessionRef> parse_session(std::string_view text) {
    std::uint64_t packed = 0;
    if (text.size() != 17 || text[0] != 's') {
        return std::nullopt;
    }
    const auto [end, fault] =
        std::from_chars(text.data() + 1, text.data() + text.size(), packed, 16);
    if (fault != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    broker::SessionRef ref;
    ref.gen = static_cast<std::uint32_t>(packed);
    ref.slot = static_cast<std::uint32_t>(packed >> 32U) & 0xffffffU;
    ref.thread = static_cast<std::uint32_t>(packed >> 56U) & 0xffU;
    return ref;
}

BrokerAdminBridge::BrokerAdminBridge(
    broker::Broker& broker, const net::DataPlane& plane, const RefusalBridge& refusals,
    std::function<std::string(const std::string&)> listener_protocol, std::size_t things_max)
    : broker_(broker),
      plane_(plane),
      refusals_(refusals),
      listener_protocol_(std::move(listener_protocol)),
      things_max_(things_max) {}

api::ConnectionInfo BrokerAdminBridge::info_of(const ConnectionSummary& summary) const {
    api::ConnectionInfo info;
    info.client_id = summary.client_id;
    info.identity = summary.identity;
    info.thing_path = thing_path(summary);
    const bool v6 = summary.address.find(':') != std::string::npos;
    info.address =
        (v6 ? "[" + summary.address + "]" : summary.address) + ":" + std::to_string(summary.port);
    info.listener = summary.listener;
    info.protocol = listener_protocol_(summary.listener);
    info.tls_version = summary.tls_version;
    info.since = summary.since;
    info.keep_alive_s = summary.keep_alive_s;
    info.clean_session = summary.clean_session;
    info.in_messages = summary.publishes_in;
    info.out_messages = summary.publishes_out;
    info.queued = summary.queued;
    return info;
}

void BrokerAdminBridge::connections(api::ClientSelector which, std::size_t limit,
                                    api::Answer<std::vector<api::ConnectionInfo>> answer) {
    broker_.connections([this, which = std::move(which), limit,
                         answer = std::move(answer)](std::vector<ConnectionSummary> all) {
        std::erase_if(all,
                      [&](const ConnectionSummary& summary) { return !selects(which, summary); });
        std::sort(all.begin(), all.end(),
                  [](const ConnectionSummary& a, const ConnectionSummary& b) {
                      return std::tie(a.client_id, a.identity) < std::tie(b.client_id, b.identity);
                  });
        std::vector<api::ConnectionInfo> out;
        for (std::size_t i = 0; i < std::min(limit, all.size()); ++i) {
            out.push_back(info_of(all[i]));
        }
        answer(std::move(out));
    });
}

void BrokerAdminBridge::kick(api::ClientSelector which, api::Answer<std::uint64_t> answer) {
    broker_.kick(
        [which = std::move(which)](const ConnectionSummary& summary) {
            return selects(which, summary);
        },
        [answer = std::move(answer)](std::size_t closed) { answer(std::uint64_t{closed}); });
}

void BrokerAdminBridge::sessions(api::ClientSelector which, std::size_t limit,
                                 api::Answer<std::vector<api::SessionInfo>> answer) {
    broker_.sessions(true, [which = std::move(which), limit,
                            answer = std::move(answer)](const std::vector<SessionSummary>& all) {
        std::vector<api::SessionInfo> out;
        for (const SessionSummary& summary : all) {
            if (selects(which, summary)) {
                out.push_back(apps::info_of(summary));
                out.back().filters.clear();
            }
        }
        std::sort(out.begin(), out.end(), [](const api::SessionInfo& a, const api::SessionInfo& b) {
            return std::tie(a.client_id, a.id) < std::tie(b.client_id, b.id);
        });
        out.resize(std::min(limit, out.size()));
        answer(std::move(out));
    });
}

void BrokerAdminBridge::session(std::string id, api::Answer<api::SessionInfo> answer) {
    const auto ref = parse_session(id);
    if (!ref) {
        answer(no_session());
        return;
    }
    broker_.sessions(
        true, [ref = *ref, answer = std::move(answer)](const std::vector<SessionSummary>& all) {
            const auto at =
                std::find_if(all.begin(), all.end(),
                             [&](const SessionSummary& summary) { return summary.ref == ref; });
            if (at == all.end()) {
                answer(no_session());
            } else {
                answer(apps::info_of(*at));
            }
        });
}

void BrokerAdminBridge::drop_session(std::string id, api::Answer<void> answer) {
    const auto ref = parse_session(id);
    if (!ref) {
        answer(no_session());
        return;
    }
    broker_.drop_session(*ref, [answer = std::move(answer)](bool dropped) {
        answer(dropped ? Result<void>{} : Result<void>{no_session()});
    });
}

// The retained index may be read on any thread; the io threads need not be asked.
void BrokerAdminBridge::retained(std::string filter, std::string after, std::size_t limit,
                                 api::Answer<std::vector<api::RetainedInfo>> answer) {
    const broker::RetainedIndex& index = broker_.shared().retained;
    std::vector<broker::RetainedPtr> found;
    broker::RetainedIndex::Cursor cursor;
    while (!cursor.done) {
        index.match(filter, index.rev(), cursor, kVisits, found);
    }
    std::erase_if(found,
                  [&](const broker::RetainedPtr& message) { return message->topic <= after; });
    std::sort(found.begin(), found.end(),
              [](const broker::RetainedPtr& a, const broker::RetainedPtr& b) {
                  return a->topic < b->topic;
              });
    std::vector<api::RetainedInfo> out;
    for (std::size_t i = 0; i < std::min(limit, found.size()); ++i) {
        out.push_back(apps::info_of(*found[i]));
    }
    answer(std::move(out));
}

void BrokerAdminBridge::delete_retained(std::string filter, api::Answer<std::uint64_t> answer) {
    broker_.clear_retained(std::move(filter), [answer = std::move(answer)](std::size_t count) {
        answer(std::uint64_t{count});
    });
}

void BrokerAdminBridge::publish(api::PublishOrder order, api::Answer<std::uint64_t> answer) {
    std::vector<broker::Subscriber> matched;
    static_cast<void>(broker_.shared().index.match(order.topic, matched));
    std::vector<broker::SessionRef> sessions;
    for (const broker::Subscriber& subscriber : matched) {
        if (subscriber.kind == broker::TargetKind::session) {
            sessions.push_back(subscriber.session);
        }
    }
    std::sort(sessions.begin(), sessions.end());
    const auto count = static_cast<std::uint64_t>(std::unique(sessions.begin(), sessions.end()) -
                                                  sessions.begin());
    broker_.publish({std::move(order.topic), std::move(order.payload), order.qos, order.retain},
                    [answer = std::move(answer), count] { answer(count); });
}

void BrokerAdminBridge::stats(api::Answer<api::BrokerStats> answer) {
    broker_.connections([this,
                         answer = std::move(answer)](const std::vector<ConnectionSummary>& all) {
        answer(collect_stats({broker_, plane_, refusals_, listener_protocol_, things_max_}, all));
    });
}

}  // namespace iotsky::apps
