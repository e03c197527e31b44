#include "broker/net/io_thread.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "base/assert.hpp"
#include "base/thread.hpp"
#include "broker/net/poller.hpp"

namespace iotsky::net {

namespace asio = boost::asio;
using boost::system::error_code;

/// One io thread. Members below `thread_` belong to it while it runs.
class IoThread {
  public:
    IoThread(unsigned index, const PollerOptions& options, const Clock& clock)
        : index_(index), clock_(clock), poller_(options, clock) {
        epoll_.assign(poller_.epoll_fd());
    }
    ~IoThread() {
        static_cast<void>(epoll_.release());  // the Poller owns it
    }
    IoThread(const IoThread&) = delete;
    IoThread& operator=(const IoThread&) = delete;

    Poller& poller() noexcept { return poller_; }
    Sleeper& sleeper() noexcept { return sleeper_; }

    void start(std::unique_ptr<PollerSink> sink) {
        sink_ = std::move(sink);
        poller_.set_sink(*sink_);
        asio::post(io_, [this] { run_turns(); });
        thread_ = std::thread([this] {
            set_thread_name("io-" + std::to_string(index_));
            io_.run();
        });
    }

    void post(std::function<void()> task) {
        asio::post(io_, [this, task = std::move(task)] {
            task();
            wake();
        });
    }

    void begin_stop(std::chrono::milliseconds drain) {
        post([this, drain] {
            stop_at_ = clock_.now() + drain;
            poller_.stop_accepting();
            sink_->shut_down();
        });
    }

    void join() { thread_.join(); }

  private:
    // Between two of these Asio looks at posts and its own descriptors.
    static constexpr int kTurnsPerHandler = 16;

    void run_turns() {
        for (int i = 0; i < kTurnsPerHandler; ++i) {
            poller_.turn();
            if (stopped()) {
                timer_.cancel();
                io_.stop();
                return;
            }
            if (may_sleep()) {
                sleep();
                return;
            }
        }
        asio::post(io_, [this] { run_turns(); });
    }

    [[nodiscard]] bool stopped() const {
        return stop_at_ &&
               ((sink_->connections() == 0 && poller_.quiet()) || clock_.now() >= *stop_at_);
    }

    [[nodiscard]] bool may_sleep() {
        if (poller_.has_work()) {
            return false;
        }
        sleeper_.announce();  // from here on senders wake us; look once more at their input
        if (sink_->may_sleep()) {
            return true;
        }
        sleeper_.awake();
        return false;
    }

    void sleep() {
        asleep_ = true;
        if (!std::exchange(watching_, true)) {
            epoll_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code failed) {
                watching_ = false;
                if (!failed) {
                    wake();
                }
            });
        }
        arm_timer();
    }

    /// A timer that fires too early costs an empty turn; setting it anew costs a system call per
    /// sleep. So it is only ever moved forward.
    void arm_timer() {
        std::optional<TimePoint> next = poller_.next_deadline();
        if (stop_at_ && (!next || *stop_at_ < *next)) {
            next = stop_at_;
        }
        if (!next || (armed_at_ && *armed_at_ <= *next)) {
            return;
        }
        armed_at_ = next;
        timer_.expires_at(*next);
        timer_.async_wait([this](error_code failed) {
            if (!failed) {
                armed_at_.reset();
                wake();
            }
        });
    }

    void wake() {
        if (std::exchange(asleep_, false)) {
            sleeper_.awake();
            run_turns();
        }
    }

    unsigned index_;
    const Clock& clock_;
    asio::io_context io_{1};
    Poller poller_;
    asio::posix::stream_descriptor epoll_{io_};
    asio::steady_timer timer_{io_};
    Sleeper sleeper_;
    std::unique_ptr<PollerSink> sink_;
    std::thread thread_;
    bool asleep_ = false;
    bool watching_ = false;              ///< an async_wait on epoll_ is under way
    std::optional<TimePoint> armed_at_;  ///< what timer_ is set to
    std::optional<TimePoint> stop_at_;
};

IoThreads::IoThreads(unsigned count, const PollerOptions& options, const Clock& clock) {
    IOTSKY_ASSERT(count >= 1 && count <= broker::kThreadsMax);
    for (unsigned i = 0; i < count; ++i) {
        threads_.push_back(std::make_unique<IoThread>(i, options, clock));
    }
}

IoThreads::~IoThreads() {
    try {
        stop();
    } catch (const std::exception& failure) {
        // A thread that can be neither stopped nor joined still uses what is about to go.
        assertion_failed(failure.what(), __FILE__, __LINE__);
    }
}

unsigned IoThreads::size() const noexcept {
    return static_cast<unsigned>(threads_.size());
}

broker::TransportHost& IoThreads::host(unsigned index) noexcept {
    return threads_[index]->poller();
}

broker::Waker& IoThreads::waker(unsigned index) noexcept {
    return threads_[index]->poller().waker();
}

Sleeper& IoThreads::sleeper(unsigned index) noexcept {
    return threads_[index]->sleeper();
}

const NetCounters& IoThreads::counters(unsigned index) const noexcept {
    return threads_[index]->poller().counters();
}

void IoThreads::start(std::vector<std::unique_ptr<PollerSink>> sinks) {
    IOTSKY_ASSERT(!running_ && sinks.size() == threads_.size());
    running_ = true;
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        threads_[i]->start(std::move(sinks[i]));
    }
}

void IoThreads::serve(Listener&& listener) {
    IOTSKY_ASSERT(listener.sockets_.size() == threads_.size());
    for (std::size_t i = 0; i < threads_.size(); ++i) {
        // std::function copies its target, so the socket travels in something that can be shared.
        auto acceptor = std::make_shared<std::unique_ptr<Acceptor>>(
            std::make_unique<Acceptor>(std::move(listener.sockets_[i]), listener.shared_));
        Poller& poller = threads_[i]->poller();
        threads_[i]->post([&poller, acceptor] { poller.add_acceptor(std::move(*acceptor)); });
    }
}

void IoThreads::post(unsigned index, std::function<void()> task) {
    threads_[index]->post(std::move(task));
}

void IoThreads::stop(std::chrono::milliseconds drain) {
    if (!std::exchange(running_, false)) {
        return;
    }
    for (const auto& thread : threads_) {
        thread->begin_stop(drain);
    }
    for (const auto& thread : threads_) {
        thread->join();
    }
}

}  // namespace iotsky::net
