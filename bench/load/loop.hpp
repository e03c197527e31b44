#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bench/load/connection.hpp"

namespace iotsky::load {

/// Nanoseconds of the monotonic clock.
[[nodiscard]] std::uint64_t now_ns() noexcept;

/// Connections by number, and the epoll set they wait in. One thread.
class Loop {
  public:
    using OnPacket = std::function<void(std::size_t index, const Packet& packet)>;

    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// The next free number is the connection's.
    std::size_t add(std::unique_ptr<Connection> connection);
    void remove(std::size_t index);
    [[nodiscard]] Connection& at(std::size_t index) { return *slots_[index].connection; }
    [[nodiscard]] std::size_t size() const noexcept { return slots_.size(); }

    /// Sends at the end of this turn, or with the next one.
    void flush_later(std::size_t index);
    /// One turn: sends, waits at most `wait_ns`, hands over every packet that came, sends.
    void turn(std::uint64_t wait_ns, const OnPacket& on_packet);

  private:
    struct Slot {
        std::unique_ptr<Connection> connection;
        bool watches_write = false;
        bool dirty = false;
    };

    void watch(std::size_t index, bool write);
    void flush_all();

    int epoll_ = -1;
    std::vector<Slot> slots_;
    std::vector<std::size_t> dirty_;
};

}  // namespace iotsky::load
