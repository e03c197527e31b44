#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "bench/load/loop.hpp"
#include "bench/load/report.hpp"

namespace iotsky::load {

/// Publishers and subscribers of pairs, fanout and fanin. One thread.
///
/// In a closed loop a message is on its way until it is delivered and, above QoS 0, acknowledged.
/// Every message carries its publisher, its number and a time: when it was sent (closed loop), or
/// when it was due (open loop), so that a broker that stalls is charged for what it kept waiting.
class Traffic {
  public:
    explicit Traffic(const Options& options);

    Report run();

  private:
    struct Publisher {
        std::size_t connection = 0;
        std::string topic;
        std::uint64_t sent = 0;
        std::uint64_t delivered = 0;  ///< of all its subscribers
        std::uint64_t due_ns = 0;     ///< open loop: of the next message
        std::uint16_t packet_id = 0;
        std::deque<std::uint64_t> unacknowledged;  ///< times of what PUBACK or PUBCOMP is due for
    };
    struct Subscriber {
        std::size_t connection = 0;
        std::vector<std::uint64_t> next;  ///< number expected next, by publisher
    };
    enum class Phase { warm_up, measured, drain };

    std::size_t connect(const std::string& name);
    void make_clients();
    void await(const std::size_t& counter, std::size_t wanted, const char* what);
    void on_packet(std::size_t connection, const Packet& packet);
    void on_acknowledged(std::size_t connection);
    void on_publish(std::size_t connection, const Packet& packet);
    void deliver(Subscriber& subscriber, std::span<const std::uint8_t> payload);
    void send(Publisher& publisher, std::uint64_t stamp);
    void fill_windows();
    [[nodiscard]] std::uint64_t send_what_is_due(std::uint64_t now);
    void pump(std::uint64_t until);
    [[nodiscard]] bool all_arrived() const;
    void drain();

    const Options& options_;
    Tls tls_;
    Loop loop_;
    std::vector<Publisher> publishers_;
    std::vector<Subscriber> subscribers_;
    std::vector<std::size_t> subscriber_of_;  ///< by connection; npos for publishers
    std::size_t fan_ = 1;                     ///< deliveries of one message
    std::size_t connacks_ = 0;
    std::size_t subacks_ = 0;
    Phase phase_ = Phase::warm_up;
    Bytes payload_;
    Report report_;
};

}  // namespace iotsky::load
