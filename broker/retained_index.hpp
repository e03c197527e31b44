#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "broker/ids.hpp"
#include "broker/principals.hpp"

namespace iotsky::broker {

/// One retained message. Immutable once in the index.
struct Retained {
    std::string topic;
    std::string payload;
    std::uint8_t qos = 0;
    Rev rev = 0;
    std::string publisher;  ///< name of the identity that set it
    WallTime set_at{};
    std::shared_ptr<Principal> owner{};  ///< whose limit it counts towards; null: nobody's
};
using RetainedPtr = std::shared_ptr<const Retained>;

/// The last retained message of each topic, in RAM, in ordered shards. Synchronised; any thread.
class RetainedIndex {
  public:
    /// Bytes are the true cost in memory: texts and a fixed part per message.
    struct Limits {
        std::size_t messages_max = 1'000'000;
        std::size_t bytes_max = 256U << 20U;
    };
    explicit RetainedIndex(Limits limits);
    ~RetainedIndex();

    enum class Put : std::uint8_t {
        stored,
        cleared,     ///< also when there was nothing: the log hears of it
        full,        ///< a limit is reached: nothing changed, the topic keeps what it had
        owner_full,  ///< the same, for the limit of its owner
    };
    struct PutResult {
        Put put;
        Rev rev;  ///< next of one global counter; drawn inside the shard's lock; 0 when nothing
                  ///< changed
    };
    /// Stores `message` (its rev is set here); an empty payload clears [MQTT-3.3.1-10, -11]. Ends
    /// with the seq_cst fence that makes "update retained, then read the route stamp" safe against
    /// SUBSCRIBE. `owner_max`: how many messages its owner may have here.
    [[nodiscard]] PutResult put(Retained message, std::uint32_t owner_max = 0);
    /// Recovery: keeps the given rev; applies only if it is higher. Limits do not hold: what is on
    /// disk is kept.
    void restore(Retained message);

    /// The revision at this moment. A SUBSCRIBE notes it after its insert (which ended with a
    /// fence); its replay then takes entries with rev <= it, newer ones come live.
    [[nodiscard]] Rev rev() const noexcept { return rev_.load(std::memory_order_acquire); }

    /// Position of a replay; start with a default one and keep to one filter.
    struct Cursor {
        std::size_t shard = 0;
        std::string after;   ///< last topic visited in `shard`
        bool begun = false;  ///< whether `after` is set
        bool done = false;
    };
    /// Appends matching messages with rev <= rev_max [MQTT-3.3.1-6], visits at most `visits_max`
    /// entries, moves the cursor. A message that is there during the whole scan is appended exactly
    /// once. Only topics with the literal levels before the first wildcard are visited; two such
    /// levels mean one shard. No order between topics.
    void match(std::string_view filter, Rev rev_max, Cursor& cursor, std::size_t visits_max,
               std::vector<RetainedPtr>& out) const;
    [[nodiscard]] RetainedPtr get(std::string_view topic) const;

    [[nodiscard]] std::size_t size() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return bytes_.load(std::memory_order_relaxed);
    }

  private:
    struct Shard;
    struct Scan;
    static constexpr std::size_t kShards = 64;
    [[nodiscard]] static std::size_t shard_number(std::string_view topic) noexcept;
    [[nodiscard]] bool reserve(const Retained* old, const Retained& fresh) noexcept;
    void count_out(const Retained& gone) noexcept;
    [[nodiscard]] bool match_shard(const Scan& scan, Cursor& cursor, std::size_t& visits_left,
                                   std::vector<RetainedPtr>& out) const;

    Limits limits_;
    std::array<std::unique_ptr<Shard>, kShards> shards_;
    std::atomic<Rev> rev_{0};
    std::atomic<std::size_t> count_{0};
    std::atomic<std::size_t> bytes_{0};
};

}  // namespace iotsky::broker
