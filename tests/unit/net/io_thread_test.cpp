#include "broker/net/io_thread.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "tests/unit/net/loop.hpp"

using iotsky::UniqueFd;
using namespace iotsky::net;
using namespace std::chrono_literals;

namespace {

/// N io threads with an echo behind each, on a free port.
struct Server {
    explicit Server(unsigned threads, ListenerOptions options = plain())
        : io(threads, PollerOptions{}, clock), listener(Listener::bind(options, threads).value()) {
        port = listener.port();
        std::vector<std::unique_ptr<PollerSink>> sinks;
        for (unsigned i = 0; i < threads; ++i) {
            auto sink = std::make_unique<EchoSink>();
            sink->host = &io.host(i);
            echoes.push_back(sink.get());
            sinks.push_back(std::move(sink));
        }
        io.start(std::move(sinks));
        io.serve(std::move(listener));
    }
    static ListenerOptions plain() {
        ListenerOptions options;
        options.name = "plain";
        options.protocol = Protocol::mqtt;
        options.bind = "127.0.0.1:0";
        return options;
    }
    std::uint64_t accepted() const {
        std::uint64_t sum = 0;
        for (unsigned i = 0; i < io.size(); ++i) {
            sum += io.counters(i).accepted.get();
        }
        return sum;
    }

    iotsky::SystemClock clock;
    IoThreads io;
    Listener listener;
    std::vector<EchoSink*> echoes;
    std::uint16_t port = 0;
};

std::string wait_for(const UniqueFd& fd, std::size_t bytes) {
    std::string got;
    while (got.size() < bytes) {
        ::pollfd wait{fd.get(), POLLIN, 0};
        if (::poll(&wait, 1, 60'000) != 1) {
            break;
        }
        bool ended = false;
        got += read_some(fd, &ended);
        if (ended) {
            break;
        }
    }
    return got;
}

}  // namespace

TEST_SUITE("net.io_thread") {
    TEST_CASE("connections are spread over the threads and each is echoed") {
        Server server(2);
        std::vector<UniqueFd> peers;
        for (int i = 0; i < 64; ++i) {
            peers.push_back(connect_to(server.port));
            write_some(peers.back(), "hello " + std::to_string(i));
        }
        for (std::size_t i = 0; i < peers.size(); ++i) {
            const std::string expected = "hello " + std::to_string(i);
            CHECK(wait_for(peers[i], expected.size()) == expected);
        }
        CHECK(server.accepted() == 64);
        CHECK(server.io.counters(0).accepted.get() > 0);
        CHECK(server.io.counters(1).accepted.get() > 0);
    }

    TEST_CASE("a sleeping thread is woken by its waker, and by posts") {
        Server server(1);
        std::atomic<int> turns{0};
        server.io.post(0, [&] { server.echoes[0]->on_begin = [&] { ++turns; }; });
        while (turns == 0) {
            std::this_thread::yield();
        }
        for (int i = 0; i < 100; ++i) {
            const int before = turns;
            if (server.io.sleeper(0).must_wake()) {
                server.io.waker(0).wake();
            }
            const auto end = std::chrono::steady_clock::now() + 60s;
            while (turns == before && std::chrono::steady_clock::now() < end) {
                server.io.waker(0).wake();
                std::this_thread::yield();
            }
            REQUIRE(turns != before);
        }
    }

    TEST_CASE("an idle thread takes no turns") {
        Server server(1);
        const UniqueFd peer = connect_to(server.port);
        write_some(peer, "x");
        CHECK(wait_for(peer, 1) == "x");
        // A busy machine lets it finish its work late; one that spins never has a quiet tenth.
        const auto turns_in_a_tenth = [&] {
            const auto before = server.io.counters(0).turns.get();
            std::this_thread::sleep_for(100ms);  // the promise is that nothing happens in a while
            return server.io.counters(0).turns.get() - before;
        };
        bool quiet = false;
        for (int i = 0; i < 20 && !quiet; ++i) {
            quiet = turns_in_a_tenth() <= 2;
        }
        CHECK(quiet);
    }

    TEST_CASE("stop closes every connection and ends in time, also with a peer that stays") {
        Server server(2);
        std::vector<UniqueFd> peers;
        for (int i = 0; i < 8; ++i) {
            peers.push_back(connect_to(server.port));
            write_some(peers.back(), "x");
            CHECK(wait_for(peers.back(), 1) == "x");
        }
        const auto begin = std::chrono::steady_clock::now();
        server.io.stop(200ms);
        CHECK(std::chrono::steady_clock::now() - begin < 10s);
        for (const UniqueFd& peer : peers) {
            CHECK(wait_for(peer, 1).empty());
        }
    }
}
