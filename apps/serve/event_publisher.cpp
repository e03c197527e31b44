#include "apps/serve/event_publisher.hpp"

#include <chrono>
#include <memory>
#include <mutex>

#include "base/clock.hpp"
#include "base/log.hpp"

namespace iotsky::apps {
namespace {

using namespace std::chrono_literals;

/// A registry or a store that cannot be used now is asked again.
constexpr auto kRetry = 1s;
/// Without a wake-up the outbox is looked at all the same: a wake-up is a hint, the table is the
/// truth.
constexpr auto kLook = 30s;
constexpr auto kDurableWait = 10s;
/// How long the end of the program may wait for this thread.
constexpr auto kSlice = 100ms;

/// Counts the events of a batch that are durable; outlives the publisher when an answer comes late.
struct Ticket {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t left = 0;

    void one_done() {
        const std::lock_guard lock{mutex};
        --left;
        changed.notify_all();
    }
    bool wait_for(std::chrono::milliseconds time) {
        std::unique_lock lock{mutex};
        return changed.wait_for(lock, time, [this] { return left == 0; });
    }
};

}  // namespace

EventPublisher::EventPublisher(EventSource& source, Publish publish)
    : source_(source), publish_(std::move(publish)) {}

EventPublisher::~EventPublisher() {
    stop();
}

void EventPublisher::start() {
    thread_ = std::thread{[this] {
        set_thread_name("events");
        run();
    }};
}

void EventPublisher::wake() {
    const LockGuard lock{mutex_};
    woken_ = true;
    changed_.notify_all();
}

void EventPublisher::stop() {
    {
        const LockGuard lock{mutex_};
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) {
        thread_.join();
    }
}

bool EventPublisher::stopping() {
    const LockGuard lock{mutex_};
    return stopping_;
}

bool EventPublisher::pause() IOTSKY_TSA(no_thread_safety_analysis) {
    std::unique_lock lock{mutex_.native()};
    changed_.wait_for(lock, kRetry,
                      [this]() IOTSKY_TSA(no_thread_safety_analysis) { return stopping_; });
    return !stopping_;
}

std::string EventPublisher::payload_of(const provisioning::Event& event) {
    // kind is ours and body is JSON already.
    return R"({"seq":)" + std::to_string(event.seq) + R"(,"at":")" + format_utc(event.at) +
           R"(","kind":")" + event.kind + R"(","body":)" + event.body + "}";
}

void EventPublisher::run() IOTSKY_TSA(no_thread_safety_analysis) {
    while (!stopping()) {
        const bool more = publish_batch();
        std::unique_lock lock{mutex_.native()};
        if (!more && !stopping_) {
            changed_.wait_for(lock, kLook, [this]() IOTSKY_TSA(no_thread_safety_analysis) {
                return woken_ || stopping_;
            });
        }
        woken_ = false;
    }
}

bool EventPublisher::publish_batch() {
    const auto events = source_.unpublished(kBatch);
    if (!events) {
        log::warn(events.error().number, "events cannot be read",
                  {{"reason", events.error().message}});
        return pause();
    }
    if (events->empty()) {
        return false;
    }
    auto ticket = std::make_shared<Ticket>();
    ticket->left = events->size();
    for (const provisioning::Event& event : *events) {
        publish_("$iotsky/events/" + event.kind, payload_of(event),
                 [ticket] { ticket->one_done(); });
    }
    for (std::chrono::milliseconds waited{0}; !ticket->wait_for(kSlice); waited += kSlice) {
        if (stopping() || waited > kDurableWait) {
            return false;  // held back by the store: the same events go out again, later
        }
    }
    if (const auto marked = source_.mark_published(events->back().seq); !marked) {
        log::warn(marked.error().number, "events cannot be marked",
                  {{"reason", marked.error().message}});
        return pause();
    }
    return true;
}

}  // namespace iotsky::apps
