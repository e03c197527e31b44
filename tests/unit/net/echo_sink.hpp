#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/net/poller_sink.hpp"
#include "broker/out_buffer.hpp"

namespace iotsky::net {

/// What a Shard is to the Poller, without MQTT: keeps the transports, notes what it is told, and
/// sends back what comes in if `echo`.
class EchoSink final : public PollerSink {
  public:
    struct Conn {
        std::unique_ptr<broker::Transport> transport;
        std::unique_ptr<broker::OutBuffer> out;
        std::string received;
        std::size_t largest_read = 0;
        bool paused = false;
        bool blocked = false;
    };

    broker::ChunkPool pool;  // before the out-buffers that use it
    broker::TransportHost* host = nullptr;
    bool echo = true;
    bool sleepy = true;  ///< may_sleep()'s answer
    std::function<void()> on_begin = [] {};
    std::map<std::uint32_t, Conn> conns;
    std::vector<std::string> calls;  ///< the functions of the last turn, in order
    std::vector<broker::PeerInfo> opened;
    std::vector<broker::CloseReason> closed;
    std::atomic<std::size_t> live{0};  ///< for a look from another thread

    Conn& only() {
        REQUIRE(conns.size() == 1);
        return conns.begin()->second;
    }
    /// Queues bytes; the next flush() sends them.
    void send(std::uint32_t slot, std::string_view text) {
        conns.at(slot).out->append(std::as_bytes(std::span{text}));
    }
    /// Takes a transport over, as adoption does.
    void adopt(std::unique_ptr<broker::Transport> transport) {
        const std::uint32_t slot = next_++;
        broker::Transport& raw = *transport;
        conns[slot] = {std::move(transport), std::make_unique<broker::OutBuffer>(pool), {}, 0};
        live = conns.size();
        host->attach(raw, {slot, 1});
    }
    /// Gives a transport away, as adoption does.
    std::unique_ptr<broker::Transport> give_away(std::uint32_t slot) {
        Conn conn = std::move(conns.at(slot));
        conns.erase(slot);
        live = conns.size();
        host->detach(*conn.transport);
        return std::move(conn.transport);
    }
    void end(std::uint32_t slot) {
        conns.at(slot).transport->close();
        conns.erase(slot);
        live = conns.size();
    }

    void begin_turn(TimePoint /*now*/, WallTime /*wall*/) override {
        calls.assign({"begin_turn"});
        on_begin();
    }
    broker::ConnRef open(std::unique_ptr<broker::Transport> transport,
                         TimePoint /*accepted_at*/) override {
        opened.push_back(transport->peer());
        adopt(std::move(transport));
        return {next_ - 1, 1};
    }
    bool on_bytes(broker::ConnRef conn, std::span<const std::byte> bytes) override {
        calls.emplace_back("on_bytes");
        Conn& c = conns.at(conn.slot);
        c.received.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        c.largest_read = std::max(c.largest_read, bytes.size());
        if (echo) {
            c.out->append(bytes);
        }
        if (on_input) {
            return on_input(conn.slot);
        }
        return true;
    }
    void on_writable(broker::ConnRef conn) override { conns.at(conn.slot).blocked = false; }
    void on_peer_closed(broker::ConnRef conn, broker::CloseReason reason) override {
        closed.push_back(reason);
        end(conn.slot);
    }
    bool reading_paused(broker::ConnRef conn) const override { return conns.at(conn.slot).paused; }
    void on_time() override { calls.emplace_back("on_time"); }
    void commit_turn() override { calls.emplace_back("commit_turn"); }
    void flush() override {
        calls.emplace_back("flush");
        std::vector<std::uint32_t> broken;
        for (auto& [slot, conn] : conns) {
            if (conn.out->empty() || conn.blocked) {
                continue;
            }
            if (!conn.transport->write(*conn.out)) {
                broken.push_back(slot);
            }
            conn.blocked = !conn.out->empty();
        }
        for (const std::uint32_t slot : broken) {
            closed.push_back(broker::CloseReason::peer_closed);
            end(slot);
        }
    }
    bool has_work() const override { return false; }
    bool may_sleep() override { return sleepy; }
    std::optional<TimePoint> next_deadline() const override { return std::nullopt; }
    void shut_down() override {
        while (!conns.empty()) {
            end(conns.begin()->first);
        }
    }
    std::size_t connections() const override { return conns.size(); }

    /// After on_bytes: false if it gave the transport away or closed it.
    std::function<bool(std::uint32_t slot)> on_input;

  private:
    std::uint32_t next_ = 0;
};

}  // namespace iotsky::net
