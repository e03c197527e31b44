#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>

#include "apps/serve/event_publisher.hpp"

using namespace iotsky;
using namespace iotsky::apps;

namespace {

provisioning::Event event(std::uint64_t seq, std::string kind) {
    return {seq, from_unix_s(0), std::move(kind), R"({"a":1})"};
}

/// An outbox in memory.
class Outbox final : public EventSource {
  public:
    Result<std::vector<provisioning::Event>> unpublished(std::size_t limit) override {
        const std::lock_guard lock{mutex_};
        if (failures_ > 0) {
            --failures_;
            return make_error(Errc::io, "E5304", "Not now.", "", "");
        }
        std::vector<provisioning::Event> out;
        for (const auto& entry : events_) {
            if (entry.seq > marked_ && out.size() < limit) {
                out.push_back(entry);
            }
        }
        return out;
    }
    Result<void> mark_published(std::uint64_t seq) override {
        const std::lock_guard lock{mutex_};
        marked_ = seq;
        changed_.notify_all();
        return {};
    }
    void add(provisioning::Event entry) {
        const std::lock_guard lock{mutex_};
        events_.push_back(std::move(entry));
    }
    void fail(int times) {
        const std::lock_guard lock{mutex_};
        failures_ = times;
    }
    /// Waits until everything up to `seq` is marked; false after 20 s.
    bool marked(std::uint64_t seq) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return marked_ >= seq; });
    }
    std::uint64_t marked_now() {
        const std::lock_guard lock{mutex_};
        return marked_;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<provisioning::Event> events_;
    std::uint64_t marked_ = 0;
    int failures_ = 0;
};

}  // namespace

TEST_SUITE("apps.events") {
    TEST_CASE(
        "events go out in their order under their kind, and are marked when they are durable") {
        Outbox outbox;
        outbox.add(event(1, "thing.created"));
        outbox.add(event(2, "certificate.issued"));
        std::vector<std::string> sent;
        EventPublisher publisher{
            outbox, [&](std::string topic, std::string payload, std::function<void()> durable) {
                sent.push_back(topic + " " + payload);
                durable();
            }};
        publisher.start();
        REQUIRE(outbox.marked(2));
        publisher.stop();
        REQUIRE(sent.size() == 2);
        CHECK(
            sent[0] ==
            R"($iotsky/events/thing.created {"seq":1,"at":"1970-01-01T00:00:00Z","kind":"thing.created","body":{"a":1}})");
        CHECK(sent[1].starts_with("$iotsky/events/certificate.issued "));
    }

    TEST_CASE("an event that is not durable is not marked, and stopping does not wait for it") {
        Outbox outbox;
        outbox.add(event(1, "thing.created"));
        std::function<void()> late;
        std::mutex mutex;
        EventPublisher publisher{outbox,
                                 [&](std::string, std::string, std::function<void()> durable) {
                                     const std::lock_guard lock{mutex};
                                     late = std::move(durable);
                                 }};
        publisher.start();
        const auto begin = std::chrono::steady_clock::now();
        publisher.stop();
        CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{5});
        CHECK(outbox.marked_now() == 0);
        const std::lock_guard lock{mutex};
        if (late) {
            late();  // an answer after the end finds its ticket still there
        }
    }

    TEST_CASE("a registry that cannot be read is asked again") {
        Outbox outbox;
        outbox.add(event(1, "thing.created"));
        outbox.fail(1);
        EventPublisher publisher{
            outbox, [](std::string, std::string, std::function<void()> durable) { durable(); }};
        publisher.start();
        CHECK(outbox.marked(1));
    }

    TEST_CASE("a wake-up sends what a commit added") {
        Outbox outbox;
        EventPublisher publisher{
            outbox, [](std::string, std::string, std::function<void()> durable) { durable(); }};
        publisher.start();
        outbox.add(event(1, "class.created"));
        publisher.wake();
        CHECK(outbox.marked(1));
    }
}
