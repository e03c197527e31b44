#include "broker/net/poller.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tests/unit/net/loop.hpp"

using iotsky::UniqueFd;
using iotsky::broker::CloseReason;
using namespace iotsky::net;
using Calls = std::vector<std::string>;

TEST_SUITE("net.poller") {
    TEST_CASE("a turn reads before deadlines, commits before it writes") {
        Loop loop;
        const UniqueFd peer = loop.connect();
        write_some(peer, "hello");
        loop.poller.turn();
        CHECK(loop.sink.calls ==
              Calls{"begin_turn", "on_bytes", "on_time", "commit_turn", "flush"});
        CHECK(read_some(peer) == "hello");
        CHECK_FALSE(loop.poller.has_work());
    }

    TEST_CASE("one megabyte comes back whole, though neither side takes it at once") {
        Loop loop;
        const UniqueFd peer = loop.connect();
        const std::string sent = pattern(1U << 20U);
        std::string got;
        std::size_t written = 0;
        CHECK(loop.until([&] {
            written += write_some(peer, std::string_view{sent}.substr(written));
            got += read_some(peer);
            return got.size() == sent.size();
        }));
        CHECK(got == sent);
        CHECK(loop.sink.only().largest_read <= PollerOptions{}.turn_bytes_max);
    }

    TEST_CASE(
        "a flooding connection gets its share of a turn, and its neighbour's bytes go first") {
        PollerOptions options;
        options.turn_bytes_max = 1024;
        Loop loop(options);
        loop.sink.echo = false;
        const UniqueFd flood = loop.connect();
        const UniqueFd calm = loop.connect();
        write_some(flood, pattern(100'000));
        loop.poller.turn();
        CHECK(loop.sink.conns.at(0).received.size() == 1024);
        CHECK(loop.poller.has_work());
        write_some(calm, "ping");
        loop.poller.turn();
        CHECK(loop.sink.conns.at(1).received == "ping");
        CHECK(loop.sink.conns.at(0).received.size() == 2048);
    }

    TEST_CASE("a peer that takes no bytes blocks nobody and gets the rest in order") {
        Loop loop;
        loop.sink.echo = false;
        const UniqueFd slow = loop.connect();
        const UniqueFd other = loop.connect();
        const std::string bytes = pattern(3U << 20U);
        loop.sink.send(0, bytes);
        loop.poller.turn();
        CHECK(loop.sink.conns.at(0).blocked);
        loop.sink.send(1, "meanwhile");
        loop.poller.turn();
        CHECK(read_some(other) == "meanwhile");
        std::string got;
        CHECK(loop.until([&] {
            got += read_some(slow);
            return got.size() >= bytes.size();
        }));
        CHECK(got == bytes);
    }

    TEST_CASE("bytes and the end of the stream that come together are both delivered") {
        Loop loop;
        UniqueFd peer = loop.connect();
        write_some(peer, "last words");
        peer.reset();
        std::string received;
        loop.sink.on_input = [&](std::uint32_t slot) {
            received = loop.sink.conns.at(slot).received;
            return true;
        };
        CHECK(loop.until([&] { return !loop.sink.closed.empty(); }));
        CHECK(received == "last words");
        CHECK(loop.sink.closed.front() == CloseReason::peer_closed);
        CHECK(loop.sink.conns.empty());
    }

    TEST_CASE("a connection that is moved with bytes on their way loses none") {
        Loop first;
        Loop second;
        const UniqueFd peer = first.connect();
        const std::string sent = pattern(300'000);
        std::size_t written = write_some(peer, sent);
        std::string received;
        std::unique_ptr<iotsky::broker::Transport> moving;
        first.sink.echo = false;
        first.sink.on_input = [&](std::uint32_t slot) {
            received = first.sink.conns.at(slot).received;
            moving = first.sink.give_away(slot);
            return false;
        };
        CHECK(first.until([&] { return moving != nullptr; }));
        second.sink.echo = false;
        second.sink.adopt(std::move(moving));
        CHECK(second.until([&] {
            written += write_some(peer, std::string_view{sent}.substr(written));
            return received.size() + second.sink.only().received.size() == sent.size();
        }));
        CHECK(received + second.sink.only().received == sent);
        first.turns(3);  // events that still name the old slot are nobody's
        CHECK(first.sink.closed.empty());
    }

    TEST_CASE("a paused connection is not read, and goes on through the ready list") {
        Loop loop;
        const UniqueFd peer = loop.connect();
        loop.turns(1);
        loop.sink.only().paused = true;
        write_some(peer, "wait");
        loop.turns(3);
        CHECK(loop.sink.only().received.empty());
        CHECK_FALSE(loop.poller.has_work());
        loop.sink.only().paused = false;
        loop.poller.resume(*loop.sink.only().transport);
        CHECK(loop.poller.has_work());
        loop.turns(1);
        CHECK(loop.sink.only().received == "wait");
    }

    TEST_CASE("the last bytes before a close arrive although the peer's own were not read") {
        Loop loop;
        loop.sink.echo = false;
        auto [ours, theirs] = loop.stream_pair();
        SocketTransport::Origin origin;
        origin.fd = std::move(ours);
        loop.poller.add(std::make_unique<TcpTransport>(std::move(origin)));
        write_some(theirs, "CONNECT");
        loop.turns(1);
        write_some(theirs, "SUBSCRIBE");  // never read
        loop.sink.send(0, "CONNACK 5");
        loop.sink.flush();
        loop.sink.end(0);
        bool ended = false;
        std::string got;
        CHECK(loop.until([&] {
            got += read_some(theirs, &ended);
            return ended;
        }));
        CHECK(got == "CONNACK 5");
        CHECK_FALSE(loop.poller.quiet());  // until the peer says FIN, or the deadline
        theirs.reset();
        CHECK(loop.until([&] { return loop.poller.quiet(); }));
    }

    TEST_CASE("a closed connection whose peer stays is cut at its deadline") {
        PollerOptions options;
        options.linger_timeout = std::chrono::milliseconds{30};
        Loop loop(options);
        const UniqueFd peer = loop.connect();
        loop.turns(1);
        loop.sink.end(0);
        CHECK_FALSE(loop.poller.quiet());
        REQUIRE(loop.poller.next_deadline().has_value());
        CHECK(loop.until([&] { return loop.poller.quiet(); }));
    }

    TEST_CASE("a transport may end in the middle of its own bytes") {
        Loop loop;
        const UniqueFd peer = loop.connect();
        loop.sink.on_input = [&](std::uint32_t slot) {
            loop.sink.end(slot);
            return false;
        };
        write_some(peer, "malformed");
        loop.turns(2);
        bool ended = false;
        CHECK(read_some(peer, &ended).empty());
        CHECK(ended);
    }

    TEST_CASE("a wake from anywhere makes the loop's descriptor readable, once") {
        Loop loop;
        loop.turns(1);
        ::pollfd wait{loop.poller.epoll_fd(), POLLIN, 0};
        CHECK(::poll(&wait, 1, 0) == 0);
        loop.poller.waker().wake();
        CHECK(::poll(&wait, 1, 0) == 1);
        loop.turns(1);
        CHECK(::poll(&wait, 1, 0) == 0);
        loop.poller.waker().wake();
        CHECK(::poll(&wait, 1, 0) == 1);
    }

    TEST_CASE("transports outlive their loop without harm") {
        EchoSink sink;
        UniqueFd peer;
        {
            Loop loop;
            peer = loop.connect();
            sink.conns.merge(loop.sink.conns);
        }
        sink.end(0);
        bool ended = false;
        CHECK(read_some(peer, &ended).empty());
        CHECK(ended);
    }
}
