#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace iotsky::apps::test {

/// An API on a unix socket that answers from a table. Connections are served one after the other on
/// its own thread.
class FakeApi {
  public:
    struct Answer {
        unsigned status = 200;
        std::string body = "{}";
        std::string content_type = "application/json";
    };
    struct Seen {
        std::string method;
        std::string target;
        std::string body;
        std::string authorization;
        std::string content_type;
    };

    explicit FakeApi(const std::filesystem::path& socket)
        : socket_(socket),
          acceptor_(context_, boost::asio::local::stream_protocol::endpoint{socket.string()}) {
        thread_ = std::thread{[this] { serve(); }};
    }
    ~FakeApi() {
        // A connection of our own wakes accept(), which close() alone need not do.
        stopping_ = true;
        boost::asio::local::stream_protocol::socket knock{context_};
        boost::system::error_code ignored;
        knock.connect(boost::asio::local::stream_protocol::endpoint{socket_.string()}, ignored);
        thread_.join();
    }
    FakeApi(const FakeApi&) = delete;
    FakeApi& operator=(const FakeApi&) = delete;

    /// `request`: "GET /api/v1/status". Several answers of one request are given one after the
    /// other; the last stays.
    void on(const std::string& request, Answer answer) {
        const std::lock_guard lock{mutex_};
        answers_[request].push_back(std::move(answer));
    }
    [[nodiscard]] std::vector<Seen> seen() const {
        const std::lock_guard lock{mutex_};
        return seen_;
    }

  private:
    void serve() {
        namespace http = boost::beast::http;
        while (true) {
            boost::asio::local::stream_protocol::socket peer{context_};
            boost::system::error_code fault;
            acceptor_.accept(peer, fault);
            if (stopping_ || fault) {
                return;
            }
            boost::beast::flat_buffer buffer;
            http::request<http::string_body> request;
            http::read(peer, buffer, request, fault);
            if (fault) {
                continue;
            }
            const Answer answer = answer_for(request);
            http::response<http::string_body> response{http::int_to_status(answer.status), 11};
            response.set(http::field::content_type, answer.content_type);
            response.body() = answer.body;
            response.prepare_payload();
            http::write(peer, response, fault);
        }
    }
    Answer answer_for(const boost::beast::http::request<boost::beast::http::string_body>& request) {
        namespace http = boost::beast::http;
        const std::lock_guard lock{mutex_};
        seen_.push_back({std::string{request.method_string()}, std::string{request.target()},
                         request.body(), std::string{request[http::field::authorization]},
                         std::string{request[http::field::content_type]}});
        auto found = answers_.find(seen_.back().method + " " + seen_.back().target);
        if (found == answers_.end()) {
            return {
                404,
                R"({"title":"not found","status":404,"detail":"Not there.","code":"E2107","why":"w","hint":"h"})",
                "application/problem+json"};
        }
        Answer answer = found->second.front();
        if (found->second.size() > 1) {
            found->second.erase(found->second.begin());
        }
        return answer;
    }

    std::filesystem::path socket_;
    boost::asio::io_context context_;
    boost::asio::local::stream_protocol::acceptor acceptor_;
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<Answer>> answers_;
    std::vector<Seen> seen_;
    std::atomic<bool> stopping_ = false;
    std::thread thread_;
};

}  // namespace iotsky::apps::test
