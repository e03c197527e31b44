#include "broker/net/listener.hpp"

#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include <chrono>
#include <future>
#include <thread>

#include "broker/net/acceptor.hpp"
#include "broker/net/io_thread.hpp"
#include "broker/net/listener_shared.hpp"
#include "tests/unit/net/loop.hpp"

using iotsky::UniqueFd;
using namespace iotsky::net;

namespace {

ListenerOptions plain(std::string bind = "127.0.0.1:0") {
    ListenerOptions options;
    options.name = "plain";
    options.protocol = Protocol::mqtt;
    options.bind = std::move(bind);
    return options;
}

/// A loop that serves a listening socket on 127.0.0.1.
struct Served : Loop {
    explicit Served(const ListenerOptions& options = plain())
        : shared(std::make_shared<ListenerShared>(options, nullptr, nullptr)) {
        UniqueFd fd{::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
        ::sockaddr_in any{};
        any.sin_family = AF_INET;
        any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        ::socklen_t length = sizeof(any);
        auto* const address = reinterpret_cast<::sockaddr*>(&any);
        REQUIRE(::bind(fd.get(), address, length) == 0);
        REQUIRE(::listen(fd.get(), 128) == 0);
        REQUIRE(::getsockname(fd.get(), address, &length) == 0);
        port = ntohs(any.sin_port);
        poller.add_acceptor(std::make_unique<Acceptor>(std::move(fd), shared));
    }
    std::shared_ptr<ListenerShared> shared;
    std::uint16_t port = 0;
};

}  // namespace

TEST_SUITE("net.listener") {
    TEST_CASE("port 0 is one free port for all threads") {
        const Listener listener = Listener::bind(plain(), 4).value();
        CHECK(listener.host() == "127.0.0.1");
        CHECK(listener.port() != 0);
        const UniqueFd peer = connect_to(listener.port());
        CHECK(static_cast<bool>(peer));
    }

    TEST_CASE("a taken port names its owner, also when the owner shares its port") {
        const Listener first = Listener::bind(plain(), 1).value();
        const auto second = Listener::bind(plain("127.0.0.1:" + std::to_string(first.port())), 1);
        REQUIRE(second.has_error());
        CHECK(second.error().number == "E1101");
        CHECK(second.error().message == "Port " + std::to_string(first.port()) +
                                            " is already used by unit_net (pid " +
                                            std::to_string(::getpid()) + ").");
        CHECK_FALSE(second.error().how.empty());
    }

    TEST_CASE("a bind text that cannot be is refused with the reason") {
        struct Row {
            const char* bind;
            const char* number;
        };
        for (const Row& row :
             {Row{"8883", "E1121"}, Row{"127.0.0.1:x", "E1121"}, Row{"127.0.0.1:65536", "E1121"},
              Row{"127.0.0.1:", "E1121"}, Row{":8883", "E1121"}, Row{"::1:8883", "E1121"},
              Row{"192.0.2.1:0", "E1122"}, Row{"no such host:1", "E1121"}}) {
            CAPTURE(row.bind);
            const auto listener = Listener::bind(plain(row.bind), 1);
            REQUIRE(listener.has_error());
            CHECK(listener.error().number == row.number);
            CHECK_FALSE(listener.error().how.empty());
        }
    }

    TEST_CASE("[::] takes IPv4 connections as well") {
        const Listener listener = Listener::bind(plain("[::]:0"), 1).value();
        const UniqueFd peer = connect_to(listener.port());
        CHECK(static_cast<bool>(peer));
    }

    TEST_CASE("peers are described by their addresses") {
        Served loop;
        const UniqueFd peer = connect_to(loop.port);
        REQUIRE(loop.until([&] { return !loop.sink.opened.empty(); }));
        CHECK(loop.sink.opened[0].address == "127.0.0.1");
        CHECK(loop.sink.opened[0].local_address == "127.0.0.1");
        CHECK(loop.sink.opened[0].listener == "plain");
        CHECK(loop.sink.opened[0].port != 0);
        CHECK_FALSE(loop.sink.opened[0].tls);
    }

    TEST_CASE("accepted sockets inherit TCP_NODELAY and TCP_NOTSENT_LOWAT") {
        ListenerOptions options = plain();
        options.notsent_lowat_bytes = 16U << 10U;
        std::vector<std::unique_ptr<PollerSink>> sinks;
        sinks.push_back(std::make_unique<EchoSink>());
        auto& echo = static_cast<EchoSink&>(*sinks[0]);
        iotsky::SystemClock clock;
        IoThreads io(1, {}, clock);
        echo.host = &io.host(0);
        Listener listener = Listener::bind(options, 1).value();
        const std::uint16_t port = listener.port();
        io.start(std::move(sinks));
        io.serve(std::move(listener));
        const UniqueFd peer = connect_to(port);
        std::promise<std::pair<int, int>> found;
        while (echo.live == 0) {
            std::this_thread::yield();
        }
        io.post(0, [&] {
            const int fd = dynamic_cast<TcpTransport&>(*echo.only().transport).fd();
            int no_delay = 0;
            int low_water = 0;
            ::socklen_t length = sizeof(int);
            ::getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, &length);
            ::getsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &low_water, &length);
            found.set_value({no_delay, low_water});
        });
        const auto [no_delay, low_water] = found.get_future().get();
        CHECK(no_delay == 1);
        CHECK(low_water == 16 << 10);
    }

    TEST_CASE("an address whose connections end before their CONNECT is shut out for a minute") {
        ListenerOptions options = plain();
        options.failures_per_minute_max = 2;
        Served loop(options);
        loop.sink.echo = false;  // nothing is ever answered, as before a whole CONNECT
        for (std::size_t i = 0; i < 2; ++i) {
            UniqueFd peer = connect_to(loop.port);
            REQUIRE(loop.until([&] { return loop.sink.opened.size() == i + 1; }));
            peer.reset();
            REQUIRE(loop.until([&] { return loop.sink.conns.empty(); }));
        }
        CHECK(loop.poller.counters().unfinished_connects.get() == 2);
        const UniqueFd third = connect_to(loop.port);
        bool ended = false;
        CHECK(loop.until([&] {
            read_some(third, &ended);
            return loop.poller.counters().refused_by_limit.get() == 1 && ended;
        }));
    }

    TEST_CASE("answered connections never count against their address") {
        ListenerOptions options = plain();
        options.failures_per_minute_max = 1;
        Served loop(options);
        for (std::size_t i = 0; i < 3; ++i) {
            UniqueFd peer = connect_to(loop.port);
            write_some(peer, "CONNECT");
            std::string got;
            REQUIRE(loop.until([&] {
                got += read_some(peer);
                return got == "CONNECT";
            }));
            peer.reset();
            REQUIRE(loop.until([&] { return loop.sink.conns.empty(); }));
        }
        CHECK(loop.poller.counters().unfinished_connects.get() == 0);
    }

    TEST_CASE("without a free descriptor a connection is taken and closed, and later ones live") {
        Served loop;
        const UniqueFd held = connect_to(loop.port);
        REQUIRE(loop.until([&] { return loop.sink.opened.size() == 1; }));
        const UniqueFd waiting = connect_to(loop.port);
        ::rlimit before{};
        REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
        ::rlimit none = before;
        none.rlim_cur = static_cast<rlim_t>(waiting.get()) + 1;  // all below are in use
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
        bool ended = false;
        const bool closed = loop.until([&] {
            read_some(waiting, &ended);
            return ended;
        });
        REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
        CHECK(closed);
        CHECK(loop.poller.counters().refused_descriptors.get() >= 1);
        const UniqueFd later = connect_to(loop.port);
        CHECK(loop.until([&] { return loop.sink.opened.size() == 2; }));
    }
}
