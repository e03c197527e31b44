#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "base/thread.hpp"

namespace iotsky::provisioning {

/// One refusal, as the broker tells it. Equal ones within a minute are folded: `count`.
struct Refusal {
    std::uint64_t seq = 0;   ///< given by the log, rising; a folded one gets a new number
    WallTime at{};           ///< of the last of the folded ones
    std::string number;      ///< "E3101"
    std::string action;      ///< "publish", "subscribe", "connect", "will", "receive"
    std::string identity;    ///< thing path, service, certificate name; may be empty
    std::string thing_id;    ///< "th_..."; empty without a thing
    std::string thing;       ///< its path
    std::string class_name;  ///< empty outside classes
    std::string client_id;
    std::string address;
    std::string listener;
    std::string topic;
    std::string why;
    std::string hint;
    std::uint32_t count = 1;
};

struct RefusalQuery {
    std::string thing_id;     ///< empty: all
    std::string class_name;   ///< empty: all
    std::uint64_t after = 0;  ///< only with a higher number
    std::size_t limit = 100;
};

struct RefusalLogOptions {
    std::size_t per_thing_max = 50;  ///< refusals kept for one thing (or address without a thing)
    std::size_t total_max = 20'000;  ///< over all; about 300 B each
    std::chrono::seconds fold_within{60};
};

/// The refusal history: what was refused lately, newest first. In memory alone, bounded twice, so
/// that one noisy thing cannot push out the refusals of the others. Synchronised.
class RefusalLog {
  public:
    explicit RefusalLog(const RefusalLogOptions& options = {});

    /// Thread: any. Cost: a lock and a few comparisons.
    void add(Refusal refusal);
    /// Newest first.
    [[nodiscard]] std::vector<Refusal> list(const RefusalQuery& query) const;
    /// Folded ones counted one by one.
    [[nodiscard]] std::uint64_t total() const;

  private:
    using Ring = std::deque<Refusal>;  ///< oldest first

    [[nodiscard]] static std::string ring_of(const Refusal& refusal);
    [[nodiscard]] bool fold(Ring& ring, const Refusal& refusal) IOTSKY_REQUIRES(mutex_);
    void make_room() IOTSKY_REQUIRES(mutex_);

    const RefusalLogOptions options_;
    mutable Mutex mutex_;
    std::unordered_map<std::string, Ring, KeyedHash, std::equal_to<>> rings_
        IOTSKY_GUARDED_BY(mutex_);
    std::size_t kept_ IOTSKY_GUARDED_BY(mutex_) = 0;
    std::uint64_t last_seq_ IOTSKY_GUARDED_BY(mutex_) = 0;
    std::uint64_t total_ IOTSKY_GUARDED_BY(mutex_) = 0;
};

}  // namespace iotsky::provisioning
