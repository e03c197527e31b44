#pragma once

#include <condition_variable>
#include <functional>
#include <string>
#include <thread>

#include "base/error.hpp"
#include "base/thread.hpp"
#include "provisioning/records.hpp"

namespace iotsky::apps {

/// Where events come from; provisioning::Events, or a list in tests.
class EventSource {
  public:
    virtual ~EventSource() = default;
    /// The oldest events that are not marked, in their order.
    [[nodiscard]] virtual Result<std::vector<provisioning::Event>> unpublished(
        std::size_t limit) = 0;
    [[nodiscard]] virtual Result<void> mark_published(std::uint64_t seq) = 0;
};

/// Publishes the outbox on `$iotsky/events/<kind>`, each event at least once and in its order: an
/// event is marked when the message store has it durably (decisions 24). Owns the thread `events`.
/// Synchronised.
class EventPublisher {
  public:
    /// Publishes one message and calls `durable` once it is on disk.
    using Publish =
        std::function<void(std::string topic, std::string payload, std::function<void()> durable)>;

    /// `source` outlives the publisher.
    EventPublisher(EventSource& source, Publish publish);
    /// stop().
    ~EventPublisher();
    EventPublisher(const EventPublisher&) = delete;
    EventPublisher& operator=(const EventPublisher&) = delete;

    /// Starts with what an earlier run left.
    void start();
    /// A commit may have added events. Thread: any.
    void wake();
    /// Ends the thread; what was not marked is published again at the next start.
    void stop();

    /// {"seq":17,"at":"2026-11-23T09:14:31Z","kind":"thing.created","body":{...}}: what subscribers
    /// get. Pure.
    [[nodiscard]] static std::string payload_of(const provisioning::Event& event);

  private:
    void run();
    /// One batch; false when there was none or it could not be finished.
    bool publish_batch();
    [[nodiscard]] bool stopping();
    /// Waits before the next try; false when the end came.
    [[nodiscard]] bool pause();

    static constexpr std::size_t kBatch = 100;

    EventSource& source_;
    const Publish publish_;
    Mutex mutex_;
    std::condition_variable changed_;
    bool woken_ IOTSKY_GUARDED_BY(mutex_) = true;
    bool stopping_ IOTSKY_GUARDED_BY(mutex_) = false;
    std::thread thread_;
};

}  // namespace iotsky::apps
