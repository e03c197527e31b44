#include <atomic>
#include <boost/json.hpp>
#include <condition_variable>
#include <mutex>

#include "apps/serve/renewal.hpp"
#include "base/sleeper.hpp"
#include "broker/mailbox.hpp"
#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace std::chrono_literals;

namespace {

class StillClock final : public Clock {
  public:
    [[nodiscard]] TimePoint now() const noexcept override { return TimePoint{seconds.load() * 1s}; }
    [[nodiscard]] WallTime wall_now() const noexcept override { return {}; }
    std::atomic<std::int64_t> seconds{3600};
};

/// Wakes the test, which waits for answers.
class Bell final : public broker::Waker {
  public:
    void wake() noexcept override {
        const std::lock_guard lock(mutex_);
        rung_ = true;
        changed_.notify_one();
    }
    /// False when nothing rings for longer than any answer takes.
    [[nodiscard]] bool wait() {
        std::unique_lock lock(mutex_);
        const bool rung = changed_.wait_for(lock, 60s, [this] { return rung_; });
        rung_ = false;
        return rung;
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool rung_ = false;
};

/// Counts the answers that reach the thread of the publisher.
struct Fixture {
    explicit Fixture(RenewalOptions options = {}) : renewal(renew(), clock, options) {
        lane->set_waker(&bell, &sleeper);
    }

    CertificateRenewal::Renew renew() {
        return [this](const RenewalRequest& request) -> Result<RenewedCertificate> {
            std::unique_lock lock(mutex);
            may_go.wait(lock, [this] { return open; });
            ++made;
            if (request.csr == "bad") {
                return make_error(Errc::invalid_argument, "E5221", "Not a request.", "No PEM.",
                                  "Make one.");
            }
            return RenewedCertificate{"PEM of " + request.csr, "5e41a1", from_unix_s(0)};
        };
    }
    void ask(const std::string& csr, const std::string& thing = "7b/otter/weather") {
        renewal.ask({thing, "f1", csr}, "topic", broker::ServiceTicket{lane, 1});
    }
    /// How many of two requests, one after the other, reach the registry.
    int passed_on(const std::string& first, const std::string& second) {
        renewal.start();
        ask(first);
        answers(1);
        ask(second);
        answers(2);
        return made;
    }
    void set_open(bool is) {
        {
            const std::lock_guard lock(mutex);
            open = is;
        }
        may_go.notify_all();
    }
    /// Waits until so many answers are there, as the thread of the publisher does.
    void answers(std::size_t count) {
        std::vector<std::unique_ptr<broker::ControlMessage>> now;
        bool rung = true;
        while (got < count && rung) {
            sleeper.announce();
            lane->drain(now);
            got += now.size();
            now.clear();
            rung = got == count || bell.wait();
        }
        REQUIRE(got == count);
    }

    StillClock clock;
    Bell bell;
    Sleeper sleeper;
    std::shared_ptr<broker::ControlLane> lane = std::make_shared<broker::ControlLane>();
    std::mutex mutex;
    std::condition_variable may_go;
    bool open = true;
    int made = 0;
    std::size_t got = 0;
    CertificateRenewal renewal;
};

}  // namespace

TEST_SUITE("apps.renewal") {
    TEST_CASE("a request gets one answer, and another request of the thing has to wait") {
        Fixture f;
        f.renewal.start();
        f.ask("csr");
        f.answers(1);
        CHECK(f.made == 1);
        f.ask("other");
        f.answers(2);
        CHECK(f.made == 1);
        f.ask("other", "7b/heron/door");
        f.answers(3);
        CHECK(f.made == 2);
        f.clock.seconds += 60;
        f.ask("other");
        f.answers(4);
        CHECK(f.made == 3);
    }

    TEST_CASE("the same request again is passed on: its answer was lost on the way") {
        CHECK(Fixture{}.passed_on("csr", "csr") == 2);
    }

    TEST_CASE("a request that is refused does not count") {
        CHECK(Fixture{}.passed_on("bad", "csr") == 2);
    }

    TEST_CASE("more requests than may wait are answered at once") {
        RenewalOptions options;
        options.waiting_max = 2;
        Fixture f(options);
        f.set_open(false);
        for (int i = 0; i < 3; ++i) {  // not started: all of them wait
            f.ask("csr", "thing " + std::to_string(i));
        }
        f.answers(1);
        f.set_open(true);
        f.renewal.start();
        f.answers(3);
        CHECK(f.made == 2);
    }

    TEST_CASE("at the end what waits is given up, and nothing is taken any more") {
        Fixture f;
        f.ask("csr");
        f.renewal.stop();
        f.answers(1);
        f.ask("csr");
        f.answers(2);
        CHECK(f.made == 0);
    }
}
