#include "apps/serve/web_bridge.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "api/handed_stream.hpp"
#include "api/server.hpp"
#include "broker/net/io_buffers.hpp"

namespace iotsky::apps {
namespace {

using State = net::WebConnection::State;

api::HandedStream::State to_api(State state) noexcept {
    switch (state) {
        case State::ok:
            return api::HandedStream::State::ok;
        case State::would_block:
            return api::HandedStream::State::would_block;
        case State::ended:
            break;
    }
    return api::HandedStream::State::ended;
}

api::HandedStream::Outcome to_api(const net::WebConnection::Outcome& outcome) noexcept {
    return {to_api(outcome.state), outcome.bytes};
}

class WebStream final : public api::HandedStream {
  public:
    explicit WebStream(std::unique_ptr<net::WebConnection> connection)
        : connection_(std::move(connection)) {}

    [[nodiscard]] int fd() const noexcept override { return connection_->fd(); }
    [[nodiscard]] Outcome read_some(std::span<std::byte> into) override {
        return to_api(connection_->read_some(into));
    }
    [[nodiscard]] Outcome write_some(std::span<const std::byte> bytes) override {
        return to_api(connection_->write_some(bytes));
    }
    [[nodiscard]] HandedStream::State flush() override { return to_api(connection_->flush()); }
    [[nodiscard]] bool holds_input() const noexcept override { return connection_->holds_input(); }
    void end_output() override { connection_->end_output(); }

  private:
    std::unique_ptr<net::WebConnection> connection_;
};

}  // namespace

WebBridge::WebBridge() : buffers_(std::make_unique<net::IoBuffers>()) {}
WebBridge::~WebBridge() = default;

net::WebHandler WebBridge::handler(boost::asio::io_context& control, api::Server& api) {
    return [this, &control, &api](std::unique_ptr<net::WebConnection> connection) {
        boost::asio::post(control, [this, &api, moved = std::move(connection)]() mutable {
            adopt(std::move(moved), api);
        });
    };
}

void WebBridge::adopt(std::unique_ptr<net::WebConnection> connection, api::Server& api) {
    connection->attach(*buffers_);
    const broker::PeerInfo& peer = connection->peer();
    api::HandedConnection handed;
    handed.listener = peer.listener;
    handed.address = peer.address;
    handed.port = peer.port;
    handed.own_address = peer.local_address;
    handed.request_began = connection->request_began();
    handed.stream = std::make_unique<WebStream>(std::move(connection));
    api.adopt(std::move(handed));
}

}  // namespace iotsky::apps
