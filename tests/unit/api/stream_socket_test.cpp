#include "api/stream_socket.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

using namespace iotsky::api;
namespace asio = boost::asio;

namespace {

/// A stream whose answers the test chooses; its descriptor is one end of a socket pair.
class ScriptedStream final : public HandedStream {
  public:
    struct Script {
        std::string input;         ///< what read_some() gives, 4 bytes at a time
        bool held = false;         ///< holds_input()
        int blocks = 0;            ///< so often flush() says would_block
        bool ended = false;        ///< reads and writes fail
        bool output_over = false;  ///< end_output() was called
        std::string written;
        int destroyed = 0;
    };
    ScriptedStream(Script& script, int fd) : script_(script), fd_(fd) {}
    ~ScriptedStream() override {
        ++script_.destroyed;
        ::close(fd_);
    }
    [[nodiscard]] int fd() const noexcept override { return fd_; }
    [[nodiscard]] Outcome read_some(std::span<std::byte> into) override {
        if (script_.ended) {
            return {State::ended, 0};
        }
        if (script_.input.empty()) {
            return {};
        }
        const std::size_t n = std::min({into.size(), script_.input.size(), std::size_t{4}});
        std::copy_n(script_.input.begin(), n, reinterpret_cast<char*>(into.data()));
        script_.input.erase(0, n);
        return {State::ok, n};
    }
    [[nodiscard]] Outcome write_some(std::span<const std::byte> bytes) override {
        if (script_.ended) {
            return {State::ended, 0};
        }
        script_.written.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return {State::ok, bytes.size()};
    }
    [[nodiscard]] State flush() override {
        return script_.blocks-- > 0 ? State::would_block : State::ok;
    }
    [[nodiscard]] bool holds_input() const noexcept override { return script_.held; }
    void end_output() override { script_.output_over = true; }

  private:
    Script& script_;
    int fd_;
};

struct Fixture {
    Fixture() {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) ==
                0);
        socket.emplace(std::make_unique<ScriptedStream>(script, fds[0]),
                       asio::posix::stream_descriptor{io, fds[0]});
    }
    ~Fixture() { ::close(fds[1]); }
    void announce() const { REQUIRE(::write(fds[1], "x", 1) == 1); }

    std::array<int, 2> fds{};
    ScriptedStream::Script script;
    asio::io_context io;
    std::optional<StreamSocket> socket;
};

}  // namespace

TEST_SUITE("api.stream_socket") {
    TEST_CASE("no handler runs inside the call that starts it") {
        Fixture f;
        f.script.input = "abcdef";
        std::array<char, 16> into{};
        std::string got;
        f.socket->async_read_some(asio::buffer(into), [&](auto error, std::size_t n) {
            CHECK_FALSE(error);
            got.assign(into.data(), n);
        });
        CHECK(got.empty());
        f.io.run();
        CHECK(got == "abcd");
    }
    TEST_CASE("a read waits for the descriptor and then tries again") {
        Fixture f;
        std::array<char, 16> into{};
        std::size_t got = 0;
        f.socket->async_read_some(asio::buffer(into), [&](auto, std::size_t n) { got = n; });
        f.io.poll();
        CHECK(got == 0);
        f.script.input = "ab";
        f.announce();
        f.io.run();
        CHECK(got == 2);
    }
    TEST_CASE("a write is over when nothing of it is left") {
        Fixture f;
        f.script.blocks = 2;
        const std::string text = "answer";
        std::size_t put = 0;
        const std::array<asio::const_buffer, 2> buffers{asio::const_buffer{}, asio::buffer(text)};
        f.socket->async_write_some(buffers, [&](auto error, std::size_t n) {
            CHECK_FALSE(error);
            put = n;
        });
        f.io.run();
        CHECK(put == text.size());
        CHECK(f.script.written == text);
        CHECK(f.script.blocks == -1);
    }
    TEST_CASE("small buffers go in one piece, large ones without a copy") {
        Fixture f;
        const std::string large(10'000, 'x');
        const auto write = [&](const auto& buffers) {
            std::size_t put = 0;
            f.socket->async_write_some(buffers, [&](auto, std::size_t n) { put = n; });
            f.io.restart();
            f.io.run();
            return put;
        };
        const std::string head = "HTTP/1.1 200 OK";
        CHECK(write(std::array{asio::buffer(head), asio::buffer(head), asio::buffer(large)}) ==
              4'096);
        CHECK(f.script.written == (head + head + large).substr(0, 4'096));
        CHECK(write(std::array{asio::buffer(large), asio::buffer(head)}) == large.size());
    }
    TEST_CASE("waiting ends at once while the stream holds bytes that nothing announces") {
        Fixture f;
        int woken = 0;
        const auto wait = [&] {
            f.socket->async_wait(StreamSocket::wait_read, [&](auto error) { woken += !error; });
            f.io.restart();
            f.io.poll();
        };
        wait();
        CHECK(woken == 0);
        f.announce();
        f.io.poll();
        CHECK(woken == 1);
        f.script.held = true;
        wait();
        CHECK(woken == 2);
    }
    TEST_CASE("an ended stream is the end of the file, and cancelling ends what waits") {
        Fixture f;
        std::array<char, 16> into{};
        boost::system::error_code first;
        boost::system::error_code second;
        f.socket->async_read_some(asio::buffer(into),
                                  [&](auto error, std::size_t) { first = error; });
        f.io.poll();
        boost::system::error_code ignored;
        f.socket->cancel(ignored);
        f.io.run();
        CHECK(first == asio::error::operation_aborted);
        f.script.ended = true;
        f.io.restart();
        f.socket->async_read_some(asio::buffer(into),
                                  [&](auto error, std::size_t) { second = error; });
        f.io.run();
        CHECK(second == asio::error::eof);
    }
    TEST_CASE("the stream owns the descriptor, whichever of the two goes first") {
        Fixture f;
        boost::system::error_code ignored;
        f.socket->shutdown(StreamSocket::shutdown_send, ignored);
        CHECK(f.script.output_over);
        f.socket->close(ignored);
        CHECK(f.script.destroyed == 1);
        f.socket->close(ignored);
        f.socket->shutdown(StreamSocket::shutdown_send, ignored);
        f.socket.reset();
        CHECK(f.script.destroyed == 1);
    }
}
