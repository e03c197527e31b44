#include "broker/broker.hpp"

#include <atomic>

#include "base/thread.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::broker {
namespace {

/// Runs a function on one io thread.
class Task final : public ControlMessage {
  public:
    Task(std::function<void(Shard::Impl&)> run, std::function<void()> stopped)
        : run_(std::move(run)), stopped_(std::move(stopped)) {}
    void run(Shard& shard) override {
        ran_ = true;
        run_(shard.impl());
    }
    /// A thread that stops drops what it has not run.
    ~Task() override {
        if (!ran_ && stopped_) {
            stopped_();
        }
    }

  private:
    std::function<void(Shard::Impl&)> run_;
    std::function<void()> stopped_;
    bool ran_ = false;
};

void post(Shared& shared, unsigned thread, std::function<void(Shard::Impl&)> run,
          std::function<void()> stopped) {
    std::unique_ptr<ControlMessage> task =
        std::make_unique<Task>(std::move(run), std::move(stopped));
    (void)shared.lanes[thread]->post(task);
}

/// Asks every thread for a list and answers with all of them together.
template <typename T>
void collect(Shared& shared, std::function<void(Shard::Impl&, std::vector<T>&)> look,
             std::function<void(std::vector<T>)> answer) {
    struct State {
        Mutex mutex;
        std::vector<T> all IOTSKY_GUARDED_BY(mutex);
        std::atomic<unsigned> left;
        std::function<void(std::vector<T>)> answer;
    };
    auto state = std::make_shared<State>();
    state->left = shared.threads;
    state->answer = std::move(answer);
    const auto finish = [state](std::vector<T> part) {
        {
            LockGuard lock(state->mutex);
            state->all.insert(state->all.end(), std::make_move_iterator(part.begin()),
                              std::make_move_iterator(part.end()));
        }
        if (state->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            LockGuard lock(state->mutex);
            state->answer(std::move(state->all));
        }
    };
    for (unsigned thread = 0; thread < shared.threads; ++thread) {
        post(
            shared, thread,
            [look, finish](Shard::Impl& s) {
                std::vector<T> part;
                look(s, part);
                finish(std::move(part));
            },
            [finish] { finish({}); });
    }
}

ConnectionSummary summary_of(const Connection& c) {
    const PeerInfo& peer = c.transport->peer();
    const Session& session = *c.session;
    ConnectionSummary s;
    s.client_id = session.key.client_id;
    s.identity = session.identity->name;
    s.class_name = session.identity->class_name;
    s.thing_id = session.identity->thing_id;
    s.certificate_id = session.identity->certificate_id;
    s.address = peer.address;
    s.port = peer.port;
    s.listener = peer.listener;
    s.tls = peer.tls;
    s.tls_version = peer.tls_version;
    s.since = c.connected_at;
    s.keep_alive_s = c.keep_alive_s;
    s.clean_session = !session.kept;
    s.publishes_in = c.publishes_in;
    s.publishes_out = c.publishes_out;
    s.queued = session.queued_messages;
    s.in_flight = session.lane1.in_flight + session.lane2.in_flight;
    return s;
}

SessionSummary summary_of(const Session& session, bool with_filters) {
    SessionSummary s;
    s.ref = session.ref;
    s.sid = session.sid;
    s.client_id = session.key.client_id;
    s.identity = session.identity->name;
    s.class_name = session.identity->class_name;
    s.thing_id = session.identity->thing_id;
    s.connected = session.connection != nullptr;
    s.clean_session = !session.kept;
    s.durability = session.kept ? session.durability : Durability::memory;
    s.queue_bytes_max = session.queue_bytes_max;
    s.dropped_quota = session.dropped_quota;
    s.dropped_expired = session.dropped_expired;
    s.dropped_denied = session.dropped_denied;
    s.dropped_output = session.dropped_output;
    s.since = session.created_at;
    s.queued_messages = session.queued_messages;
    s.queued_bytes = session.queued_bytes;
    s.in_flight = session.lane1.in_flight + session.lane2.in_flight;
    if (with_filters) {
        for (const auto& [filter, subscription] : session.subscriptions) {
            s.filters.push_back({filter, subscription.qos, subscription.masked});
        }
    }
    return s;
}

}  // namespace

Broker::Broker(Options options, unsigned threads, DurableLog& log, IdentityDirectory& identities,
               RefusalSink& refusals, Random& random)
    : shared_(options, threads, log, identities, refusals, random) {}

Broker::~Broker() = default;

void Broker::add_service(std::unique_ptr<Service> service) {
    const std::size_t place = shared_.services.size();
    for (const std::string& filter : service->filters()) {
        Subscriber subscriber;
        subscriber.session.thread = kServiceThread;
        subscriber.session.slot = static_cast<std::uint32_t>(place) & 0xffffffU;
        subscriber.session.gen = 1;
        subscriber.qos = 2;
        subscriber.kind = TargetKind::service;
        shared_.index.insert(filter, subscriber);
    }
    shared_.services.add(std::move(service));
}

void Broker::change_rights(std::vector<std::string> scopes, std::function<void()> effective) {
    std::make_shared<RightsChange>(shared_, std::move(scopes), std::move(effective))->start();
}

void Broker::connections(std::function<void(std::vector<ConnectionSummary>)> answer) {
    collect<ConnectionSummary>(
        shared_,
        [](Shard::Impl& s, std::vector<ConnectionSummary>& out) {
            s.connections.for_each([&](Connection& c) {
                if (c.session != nullptr) {
                    out.push_back(summary_of(c));
                }
            });
        },
        std::move(answer));
}

void Broker::kick(std::function<bool(const ConnectionSummary&)> which,
                  std::function<void(std::size_t)> answer) {
    collect<ConnRef>(
        shared_,
        [which = std::move(which)](Shard::Impl& s, std::vector<ConnRef>& out) {
            s.connections.for_each([&](Connection& c) {
                if (c.session != nullptr && which(summary_of(c))) {
                    out.push_back(c.ref);
                }
            });
            for (const ConnRef ref : out) {
                if (Connection* c = s.connections.find(ref)) {
                    s.session_end.close(*c, CloseReason::kicked);
                }
            }
        },
        [answer = std::move(answer)](const std::vector<ConnRef>& closed) {
            answer(closed.size());
        });
}

void Broker::sessions(bool with_filters, std::function<void(std::vector<SessionSummary>)> answer) {
    collect<SessionSummary>(
        shared_,
        [with_filters](Shard::Impl& s, std::vector<SessionSummary>& out) {
            s.sessions.for_each(
                [&](Session& session) { out.push_back(summary_of(session, with_filters)); });
        },
        std::move(answer));
}

void Broker::drop_session(SessionRef ref, std::function<void(bool)> answer) {
    if (ref.thread >= shared_.threads) {
        answer(false);
        return;
    }
    post(
        shared_, ref.thread,
        [ref, answer](Shard::Impl& s) {
            Session* session = s.sessions.find(ref);
            if (session == nullptr) {
                answer(false);
                return;
            }
            if (session->connection != nullptr) {
                s.session_end.close(*session->connection, CloseReason::kicked);
            }
            if (Session* left = s.sessions.find(ref)) {
                s.session_end.end_session(*left);
            }
            s.when_durable([answer] { answer(true); });
        },
        [answer] { answer(false); });
}

void Broker::publish(ServiceReply message, std::function<void()> durable) {
    const ThreadId home = home_thread("", message.topic, shared_.threads);
    post(
        shared_, home,
        [message = std::move(message), durable](Shard::Impl& s) {
            (void)s.router.publish_internal(message);
            s.when_durable(durable);
        },
        nullptr);
}

void Broker::clear_retained(std::string filter, std::function<void(std::size_t)> answer) {
    post(
        shared_, 0,
        [filter = std::move(filter), answer](Shard::Impl& s) {
            std::vector<RetainedPtr> found;
            RetainedIndex::Cursor cursor;
            while (!cursor.done) {
                s.shared.retained.match(filter, s.shared.retained.rev(), cursor, s.limits.slice,
                                        found);
            }
            for (const RetainedPtr& retained : found) {
                (void)s.router.publish_internal({retained->topic, {}, 0, true});
            }
            s.when_durable([answer, count = found.size()] { answer(count); });
        },
        [answer] { answer(0); });
}

std::uint64_t Broker::total(Count ShardStats::*counter) const {
    std::uint64_t sum = 0;
    for (const auto& stats : shared_.stats) {
        sum += ((*stats).*counter).get();
    }
    return sum;
}

}  // namespace iotsky::broker
