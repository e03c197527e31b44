// Over real sockets on loopback: what the parts cannot show alone.
#include "api/server.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/json.hpp>
#include <filesystem>
#include <future>
#include <memory>
#include <thread>

#include "api/errors.hpp"
#include "tests/unit/api/installation.hpp"

namespace iotsky::api {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = boost::json;
using asio::ip::tcp;
using Unix = asio::local::stream_protocol;
using Reply = http::response<http::string_body>;

std::promise<void>* g_entered = nullptr;
std::shared_future<void>* g_leave = nullptr;
std::atomic<int> g_polls{0};
std::atomic<int> g_delivered{0};  // 1: whole, 2: not

Result<Response> echo(Services& /*services*/, const Request& request) {
    Response response;
    response.body = json::serialize(
        json::object{{"bytes", request.body.size()}, {"caller", request.caller.actor}});
    response.delivered = [](bool whole) { g_delivered = whole ? 1 : 2; };
    return response;
}

Result<Response> hold(Services& /*services*/, const Request& /*request*/) {
    g_entered->set_value();
    g_leave->wait();
    return Response{};
}

/// Has something from the third call on.
Result<Response> poll(Services& /*services*/, const Request& /*request*/) {
    Response response;
    response.nothing_yet = ++g_polls < 3;
    response.body = response.nothing_yet ? "[]" : "[1]";
    return response;
}

constexpr QueryField kWait[] = {{"wait", QueryType::number, "seconds", 0, 60}};

constexpr Route row(Method method, std::string_view pattern, Handler handler,
                    BodyKind body = BodyKind::none) {
    Route route;
    route.method = method;
    route.pattern = pattern;
    route.handler = handler;
    route.body = body;
    route.query = kWait;
    return route;
}

constexpr std::array kTable{
    row(Method::get, "/echo", echo),
    row(Method::post, "/echo", echo, BodyKind::json),
    row(Method::post, "/csv", echo, BodyKind::csv),
    row(Method::get, "/hold", hold),
    row(Method::get, "/poll", poll),
};

Result<Caller> lookup(std::string_view token) {
    if (token == "good") {
        return Caller{Role::admin, "token:good", {}, {}};
    }
    return bad_token();
}

/// A folder of its own, removed at the end.
struct Folder {
    std::filesystem::path path;
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "api-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
};

struct Running {
    Installation installation;  // for its services, which these handlers do not use
    Services& services = *installation.services;
    HttpStats stats;
    Folder folder;
    asio::io_context control{1};
    std::unique_ptr<Server> server;
    std::vector<BoundListener> bound;
    std::thread thread;

    explicit Running(ServerOptions options = {}) {
        options.listeners = {
            {"http", ListenerProtocol::http, "127.0.0.1", 0, {}},
            {"unix", ListenerProtocol::unix_socket, {}, 0, folder.path / "admin.sock"}};
        server = std::make_unique<Server>(
            control, options, ServerParts{kTable, services, stats, lookup, installation.guard});
        auto started = server->start();
        REQUIRE(started.has_value());
        bound = std::move(*started);
        thread = std::thread{[this] { control.run(); }};
    }
    ~Running() {
        asio::post(control, [this] { server->stop(); });
        thread.join();
        server.reset();
    }
};

template <typename Socket>
struct Client {
    asio::io_context io;
    Socket socket{io};
    beast::flat_buffer buffer;

    Reply read() {
        Reply reply;
        http::read(socket, buffer, reply);
        return reply;
    }
    Reply ask(const std::string& bytes) {
        asio::write(socket, asio::buffer(bytes));
        return read();
    }
    /// Whether the server closed: end of stream, or reset.
    bool closed() {
        std::array<char, 256> bytes{};
        boost::system::error_code error;
        while (!error) {
            socket.read_some(asio::buffer(bytes), error);
        }
        return error == asio::error::eof || error == asio::error::connection_reset;
    }
};

struct TcpClient : Client<tcp::socket> {
    explicit TcpClient(const Running& running) {
        socket.connect({asio::ip::make_address("127.0.0.1"), running.bound[0].port});
    }
};

struct UnixClient : Client<Unix::socket> {
    explicit UnixClient(const Running& running) { socket.connect(running.bound[1].path); }
};

std::string get(const std::string& target, const std::string& more = {}) {
    return "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n" +
           more + "\r\n";
}

std::string post(const std::string& target, const std::string& type, const std::string& body) {
    return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n" +
           "Content-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + body;
}

std::string code_of(const Reply& reply) {
    return json::value_to<std::string>(json::parse(reply.body()).at("code"));
}

}  // namespace

TEST_SUITE("api.server") {
    TEST_CASE("requests follow each other on one connection, with the fixed headers") {
        Running running;
        TcpClient client{running};
        for (int i = 0; i < 3; ++i) {
            const Reply reply = client.ask(get("/echo", "X-Request-Id: r-1\r\n"));
            CHECK(reply.result_int() == 200);
            CHECK(reply["X-Request-Id"] == "r-1");
            CHECK(reply["X-Content-Type-Options"] == "nosniff");
            CHECK(reply[http::field::cache_control] == "no-store");
            CHECK(reply["Referrer-Policy"] == "no-referrer");
            CHECK(std::string{reply["Content-Security-Policy"]}.find("frame-ancestors 'none'") !=
                  std::string::npos);
            CHECK(reply.count(http::field::access_control_allow_origin) == 0);
        }
        const auto rows = running.stats.rows();
        REQUIRE(rows.size() == 1);
        CHECK(rows[0].route == "/echo");
        CHECK(rows[0].count >= 2);  // the third may be counted a moment after it was read
    }

    TEST_CASE("pipelined requests are answered in order") {
        Running running;
        TcpClient client{running};
        const std::string two = get("/echo") + post("/echo", "application/json", "{}");
        asio::write(client.socket, asio::buffer(two));
        CHECK(json::parse(client.read().body()).at("bytes") == 0);
        CHECK(json::parse(client.read().body()).at("bytes") == 2);
    }

    TEST_CASE("the unix socket knows its peer: ours is admin without a token") {
        Running running;
        UnixClient client{running};
        const Reply reply = client.ask("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
        CHECK(reply.result_int() == 200);
        const auto caller = json::value_to<std::string>(json::parse(reply.body()).at("caller"));
        CHECK(caller.starts_with("unix:"));
    }

    TEST_CASE("the socket file is for the owner and the group only, and gone after the stop") {
        std::string path;
        {
            Running running;
            path = running.bound[1].path;
            struct stat status {};
            REQUIRE(::stat(path.c_str(), &status) == 0);
            CHECK((status.st_mode & 0777U) == 0660);
        }
        CHECK_FALSE(std::filesystem::exists(path));
    }

    TEST_CASE("over TCP a request without a token is refused") {
        Running running;
        TcpClient client{running};
        const Reply reply = client.ask("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
        CHECK(reply.result_int() == 401);
        CHECK(reply[http::field::www_authenticate] == "Bearer realm=\"iotsky\"");
    }

    TEST_CASE("a header beyond 16 KiB is 431") {
        Running running;
        TcpClient client{running};
        const Reply reply =
            client.ask(get("/echo", "X-Filler: " + std::string(17 * 1024, 'x') + "\r\n"));
        CHECK(reply.result_int() == 431);
        CHECK(code_of(reply) == "E4111");
        CHECK(client.closed());
    }

    TEST_CASE("a body beyond the limit is 413, announced or in chunks; the roster may be longer") {
        Running running;
        const std::string long_body(1024 * 1024 + 1, 'x');
        TcpClient announced{running};
        Reply reply = announced.ask(post("/echo", "application/json", long_body));
        CHECK(reply.result_int() == 413);
        CHECK(code_of(reply) == "E4110");
        TcpClient csv{running};
        reply = csv.ask(post("/csv", "text/csv", long_body));
        CHECK(reply.result_int() == 200);
        CHECK(json::parse(reply.body()).at("bytes") == 1024 * 1024 + 1);
        TcpClient chunked{running};
        reply = chunked.ask(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n"
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" +
            long_body + "\r\n0\r\n\r\n");
        CHECK(reply.result_int() == 413);
    }

    TEST_CASE("a client that asks first is told to go on") {
        Running running;
        TcpClient client{running};
        asio::write(client.socket,
                    asio::buffer(std::string{
                        "POST /echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer good\r\n"
                        "Content-Type: application/json\r\nContent-Length: 2\r\n"
                        "Expect: 100-continue\r\n\r\n"}));
        CHECK(client.read().result_int() == 100);
        CHECK(client.ask("{}").result_int() == 200);
    }

    TEST_CASE("bytes that are no HTTP are told so and end the connection") {
        Running running;
        TcpClient client{running};
        const Reply reply = client.ask("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00\r\n\r\n");
        CHECK(reply.result_int() == 400);
        CHECK(code_of(reply) == "E4124");
        CHECK(client.closed());
    }

    TEST_CASE("a slow request is 408, in its header or in its body; a silent one is closed") {
        ServerOptions options;
        options.request_time_max = std::chrono::milliseconds{60};
        options.idle_time_max = std::chrono::milliseconds{60};
        Running running{options};
        TcpClient header{running};
        CHECK(header.ask("GET /echo HTTP/1.1\r\n").result_int() == 408);
        CHECK(header.closed());
        TcpClient body{running};
        const std::string whole = post("/echo", "application/json", "{\"a\":1}");
        CHECK(body.ask(whole.substr(0, whole.size() - 3)).result_int() == 408);
        TcpClient silent{running};
        CHECK(silent.closed());
    }

    TEST_CASE("more connections than the limit get 503, and places become free again") {
        ServerOptions options;
        options.connections_max = 2;
        Running running{options};
        auto first = std::make_unique<TcpClient>(running);
        TcpClient second{running};
        CHECK(first->ask(get("/echo")).result_int() == 200);
        CHECK(second.ask(get("/echo")).result_int() == 200);
        TcpClient third{running};
        const Reply reply = third.read();
        CHECK(reply.result_int() == 503);
        CHECK(code_of(reply) == "E4113");
        first.reset();
        // The place is free once the server has seen the end of the first; it has, or will soon.
        unsigned status = 503;
        for (int i = 0; i < 200 && status == 503; ++i) {
            TcpClient next{running};
            status = next.ask(get("/echo")).result_int();
        }
        CHECK(status == 200);
    }

    TEST_CASE("more waiting work than the limit gets 503 with Retry-After, the rest is served") {
        ServerOptions options;
        options.work_threads = 1;
        options.work_waiting_max = 0;
        std::promise<void> entered;
        std::promise<void> leave;
        std::shared_future<void> left = leave.get_future().share();
        g_entered = &entered;
        g_leave = &left;
        Running running{options};
        TcpClient busy{running};
        asio::write(busy.socket, asio::buffer(get("/hold")));
        entered.get_future().wait();
        TcpClient other{running};
        const Reply reply = other.ask(get("/echo"));
        CHECK(reply.result_int() == 503);
        CHECK(code_of(reply) == "E4114");
        CHECK(reply[http::field::retry_after] == "1");
        leave.set_value();
        CHECK(busy.read().result_int() == 200);
    }

    TEST_CASE("a long poll waits for news and is woken by them") {
        Running running;
        g_polls = 0;
        TcpClient client{running};
        asio::write(client.socket, asio::buffer(get("/poll?wait=30")));
        while (g_polls < 3) {
            running.server->wake_pollers();
            std::this_thread::yield();
        }
        CHECK(client.read().body() == "[1]");
    }

    TEST_CASE("without wait a poll answers at once") {
        Running running;
        g_polls = 0;
        TcpClient client{running};
        CHECK(client.ask(get("/poll")).body() == "[]");
        CHECK(g_polls == 1);
    }

    TEST_CASE("a handler is told whether its answer was taken") {
        Running running;
        g_delivered = 0;
        TcpClient client{running};
        CHECK(client.ask(get("/echo")).result_int() == 200);
        while (g_delivered == 0) {
            std::this_thread::yield();
        }
        CHECK(g_delivered == 1);
    }

    TEST_CASE("an address that is not loopback is refused at start") {
        for (const char* host : {"0.0.0.0", "::", "192.0.2.1", "example.org", ""}) {
            CAPTURE(host);
            Running running;
            asio::io_context control;
            ServerOptions options;
            options.listeners = {{"http", ListenerProtocol::http, host, 0, {}}};
            Server server{control, options,
                          ServerParts{kTable, running.services, running.stats, lookup,
                                      running.installation.guard}};
            const auto started = server.start();
            REQUIRE(!started);
            CHECK(started.error().number == "E4123");
        }
    }

    TEST_CASE("an address in use is refused, a dead socket file replaced, another file kept") {
        Running running;
        asio::io_context control;
        const ServerParts parts{kTable, running.services, running.stats, lookup,
                                running.installation.guard};
        ServerOptions options;
        options.listeners = {
            {"http", ListenerProtocol::http, "127.0.0.1", running.bound[0].port, {}}};
        const auto taken = Server(control, options, parts).start();
        REQUIRE(taken.has_error());
        CHECK(taken.error().number == "E1101");
        CHECK(taken.error().message.ends_with("is already used by unit_api (pid " +
                                              std::to_string(::getpid()) + ")."));
        options.listeners = {{"unix", ListenerProtocol::unix_socket, {}, 0, running.bound[1].path}};
        CHECK(Server(control, options, parts).start().error().number == "E1101");

        const auto dead = running.folder.path / "dead.sock";
        { Unix::acceptor acceptor{control, Unix::endpoint{dead.string()}}; }
        REQUIRE(std::filesystem::exists(dead));
        options.listeners[0].path = dead;
        CHECK(Server(control, options, parts).start().has_value());

        options.listeners[0].path = running.folder.path;  // a folder
        CHECK(Server(control, options, parts).start().error().number == "E1107");
        options.listeners[0].path = running.folder.path / std::string(120, 'x');
        CHECK(Server(control, options, parts).start().error().number == "E1107");
    }
}

}  // namespace iotsky::api
