#include "tests/simulation/sequence/sequence.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tests/simulation/sequence/link.hpp"
#include "tests/simulation/world.hpp"

namespace iotsky::simulation {
namespace {

using Bytes = std::vector<std::byte>;

constexpr std::size_t kConnections = 6;

broker::Options tight() {
    broker::Options options;
    options.limits.inflight_max = 2;
    options.limits.queue_messages_max = 8;
    options.limits.queue_bytes_max = 8U << 10U;
    options.limits.queue_memory_bytes_max = 1U << 10U;
    options.limits.out_soft_bytes = 1U << 10U;
    options.limits.out_hard_bytes = 8U << 10U;
    options.limits.out_ack_reserve_bytes = 1U << 10U;
    options.limits.gate_packets_max = 8;
    options.limits.packet_bytes_max = 8U << 10U;
    options.limits.pre_connect_bytes_max = 1U << 10U;
    options.limits.filters_max = 3;
    options.limits.turn_packets_max = 4;
    return options;
}

/// What the sequence chooses: what a full queue does, quotas beside the session's own, and a
/// listener whose clients are promised less.
broker::Options options_from(Source& in) {
    using broker::QueueFull;
    constexpr QueueFull kWhenFull[] = {QueueFull::drop_newest, QueueFull::drop_oldest,
                                       QueueFull::refuse};
    broker::Options options = tight();
    const unsigned kind = in.next();
    options.limits.queue_full = kWhenFull[kind % 3];
    if ((kind & 4U) != 0) {
        options.limits.queue_bytes_broker_max = 6U << 10U;
    }
    if ((kind & 8U) != 0) {
        options.limits.queue_age_max = std::chrono::seconds{10};
    }
    if ((kind & 16U) != 0) {
        options.limits.publish_pacing = std::chrono::milliseconds{10};
    }
    if ((kind & 32U) != 0) {
        broker::ConnectionLimits& quick = options.listeners["quick"];
        quick = options.limits;
        quick.durability =
            (kind & 64U) != 0 ? broker::Durability::memory : broker::Durability::relaxed;
    }
    return options;
}

class Sequence {
  public:
    Sequence(Source in, LogFault fault)
        : in_(in),
          threads_(1 + in_.below(3)),
          disk_(in_.below(4) != 0),
          options_(options_from(in_)),
          world_(1, threads_, log_options(disk_, fault), options_) {
        world_.reconnect = false;
    }

    std::string play() {
        while (fault_.empty() && !in_.empty()) {
            step();
        }
        return fault_.empty() ? finish() : fault_;
    }

  private:
    static LogOptions log_options(bool disk, LogFault fault) {
        LogOptions options{fault};
        options.keeps_queues = disk;
        return options;
    }

    /// Of one queue. What the disk holds of it may be above the limit while its oldest are fetched
    /// to be dropped; with refuse it is what was acknowledged before it was full.
    [[nodiscard]] std::size_t messages_most() const {
        constexpr std::size_t kMeanwhile = 64;
        const std::size_t most = options_.limits.queue_messages_max;
        const bool exact = options_.limits.queue_full == broker::QueueFull::drop_newest;
        return exact ? most : most + most / 8 + kMeanwhile;
    }

    void look() {
        for (auto& link : links_) {
            if (link && fault_.empty()) {
                fault_ = link->listen(world_.log().tables());
            }
        }
        const auto total = [&](auto counter) { return world_.broker().total(counter); };
        const broker::Limits& limits = options_.limits;
        const auto sessions = static_cast<std::size_t>(total(&broker::ShardStats::sessions));
        const auto messages = static_cast<std::size_t>(total(&broker::ShardStats::queued_messages));
        // A crash may leave rows of messages that had no room: they were on their way to be
        // dropped.
        if (fault_.empty() && world_.crashes() == 0 && messages > sessions * messages_most()) {
            fault_ =
                std::to_string(messages) + " messages in " + std::to_string(sessions) + " queues";
        }
        // And the last message that was queued, for all who want it.
        const std::size_t most =
            sessions * 2 * limits.queue_bytes_max + 2 * limits.packet_bytes_max;
        if (fault_.empty() && world_.queue_memory() > most) {
            fault_ = std::to_string(world_.queue_memory()) + " bytes in " +
                     std::to_string(sessions) + " queues";
        }
    }

    void turn(unsigned thread) {
        world_.turn(thread);
        look();
    }

    std::optional<Link>& link() { return links_[in_.below(kConnections)]; }

    void open() {
        std::optional<Link>& link = this->link();
        if (link) {
            link->wire().client_closed = true;
        }
        const unsigned where = in_.next();
        const bool quick = (where & 64U) != 0 && options_.listeners.count("quick") != 0;
        link.emplace(world_.open_raw(quick ? "quick" : "sim", where % threads_), !quick);
    }

    void send_bytes() {
        Bytes bytes(in_.below(16));
        std::generate(bytes.begin(), bytes.end(), [&] { return std::byte(in_.next()); });
        if (std::optional<Link>& link = this->link()) {
            link->send_anything(bytes);
        }
    }

    /// Turns a bit of what has not been read yet.
    void damage() {
        const unsigned at = in_.next();
        const unsigned bit = in_.below(8);
        if (std::optional<Link>& link = this->link(); link && !link->wire().to_broker.empty()) {
            auto& bytes = link->wire().to_broker;
            bytes[at % bytes.size()] ^= std::byte(1U << bit);
            link->send_anything({});
        }
    }

    void crash() {
        world_.crash(in_.below(2) == 0);
        for (auto& link : links_) {
            link.reset();
        }
    }

    void step() {
        switch (in_.below(16)) {
            case 0:
                open();
                break;
            case 1:
                send_bytes();
                break;
            case 2:
                damage();
                break;
            case 3:
                if (std::optional<Link>& link = this->link()) {
                    link->wire().client_closed = true;
                    link.reset();
                }
                break;
            case 4:
                if (std::optional<Link>& link = this->link()) {
                    link->wire().takes_nothing = !link->wire().takes_nothing;
                    link->send_anything({});  // what is heard late may not be true any more
                }
                break;
            case 5:
                world_.log().fail_commit();
                break;
            case 6:
                world_.advance(std::chrono::milliseconds{1U << in_.below(16)});
                break;
            case 7:
                // In mode memory nothing is left of a broker that died: a new one has no past.
                in_.below(8) == 0 && disk_ ? crash()
                                           : static_cast<void>(world_.log().step_reader());
                break;
            case 8:
            case 9:
                (void)world_.log().step();
                break;
            case 10:
            case 11:
            case 12:
                turn(in_.below(threads_));
                break;
            default:
                if (std::optional<Link>& link = this->link()) {
                    link->send(in_);
                }
        }
    }

    std::string finish() {
        for (auto& link : links_) {
            if (link) {
                link->send_anything({});  // what comes now is not looked at turn by turn
                link->wire().takes_nothing = false;
                link->wire().client_closed = true;
            }
        }
        if (!world_.settle()) {
            return "the broker does not come to rest";
        }
        look();
        if (fault_.empty() && world_.broker().total(&broker::ShardStats::connections) != 0) {
            return "a connection is left";
        }
        for (unsigned thread = 0; thread < threads_ && fault_.empty(); ++thread) {
            if (!world_.would_sleep(thread)) {
                return "an idle thread spins";
            }
        }
        return fault_;
    }

    Source in_;
    unsigned threads_;
    bool disk_;  ///< or mode memory
    const broker::Options options_;
    World world_;
    std::array<std::optional<Link>, kConnections> links_;
    std::string fault_;
};

}  // namespace

std::string play_sequence(std::span<const std::uint8_t> input, LogFault fault) {
    return Sequence(Source(input), fault).play();
}

}  // namespace iotsky::simulation
