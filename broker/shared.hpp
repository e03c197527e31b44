#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "broker/age_marks.hpp"
#include "broker/durable_log.hpp"
#include "broker/identity.hpp"
#include "broker/ids.hpp"
#include "broker/mailbox.hpp"
#include "broker/options.hpp"
#include "broker/pressure.hpp"
#include "broker/principals.hpp"
#include "broker/project_queues.hpp"
#include "broker/retained_index.hpp"
#include "broker/service.hpp"
#include "broker/stats.hpp"
#include "broker/topic_index.hpp"

namespace iotsky::broker {

/// One listener as its connections see it: limits constant, the count synchronised.
struct ListenerState {
    ConnectionLimits limits;
    std::atomic<std::size_t> connections{0};
    std::atomic<std::uint64_t> connects_accepted{0};
    std::atomic<std::uint64_t> connects_unreadable{0};  ///< refused as none that we speak
};

/// What the io threads of one broker have in common. Constant after construction, or synchronised
/// by itself.
struct Shared {
    Shared(Options o, unsigned thread_count, DurableLog& l, IdentityDirectory& i, RefusalSink& r,
           Random& rnd);

    // Constant after construction.
    const Options options;
    const unsigned threads;
    DurableLog& log;
    IdentityDirectory& identities;
    RefusalSink& refusals;
    Random& random;
    ServiceTable services;

    /// The listener of this name; those without limits of their own share one.
    [[nodiscard]] ListenerState& listener(std::string_view name) noexcept;
    [[nodiscard]] const ListenerState& listener(std::string_view name) const noexcept {
        return const_cast<Shared*>(this)->listener(name);  // finds, changes nothing
    }

    /// A connection of `by` has come, or gone.
    void connection_came(ListenerState& by) noexcept {
        connections.fetch_add(1, std::memory_order_relaxed);
        by.connections.fetch_add(1, std::memory_order_relaxed);
    }
    void connection_went(ListenerState& by) noexcept {
        connections.fetch_sub(1, std::memory_order_relaxed);
        by.connections.fetch_sub(1, std::memory_order_relaxed);
    }

    // Synchronised.
    TopicIndex index;
    RetainedIndex retained;
    Principals principals;
    ProjectQueues projects;
    AgeMarks ages;
    PressureTable pressure;
    std::vector<std::unique_ptr<Mailbox>> mailboxes;  ///< one per thread
    std::vector<std::shared_ptr<ControlLane>> lanes;  ///< one per thread; services may keep one
    std::vector<std::unique_ptr<ShardStats>> stats;   ///< one per thread, which alone writes it
    /// Bytes of queued messages of the whole broker: one load per thread.
    [[nodiscard]] std::size_t queued_bytes() const noexcept {
        std::size_t sum = 0;
        for (const auto& each : stats) {
            sum += each->queued_bytes.get();
        }
        return sum;
    }
    std::atomic<Sid> next_sid{1};
    std::atomic<std::uint64_t> next_message_block{1};  ///< taken in blocks of kMessageBlock
    /// Some listener's sessions may be relaxed, or in memory alone; constant after construction.
    bool some_relaxed = false;
    Mid first_mid = 0;                  ///< of this run; constant after construction
    std::uint64_t uptime_before_s = 0;  ///< of earlier runs; the same
    std::atomic<unsigned> recovering;  ///< threads that have not loaded their sessions yet; until 0
                                       ///< nobody is admitted
    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> sessions{0};

    static constexpr std::uint64_t kMessageBlock = 64;

  private:
    ListenerState other_listeners_;
    std::map<std::string, ListenerState, std::less<>> listeners_;
};

}  // namespace iotsky::broker
