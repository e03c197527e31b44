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

namespace iotsky::broker {

/// One retained message. Immutable once in the index.
struct Retained {
    std::string topic;
    std::string payload;
    std::uint8_t qos = 0;
    Rev rev = 0;
    std::string publisher;  ///< name of the identity that set it
    WallTime set_at{};
};
using RetainedPtr = std::shared_ptr<const Retained>;

/// The last retained message of each topic, in RAM, in ordered shards. Synchronised; any thread.
class RetainedIndex {
  public:
    struct Limits {
        std::size_t messages_max = 1'000'000;
        std::size_t bytes_max = 256U << 20U;
    };
    explicit RetainedIndex(Limits limits);
    ~RetainedIndex();

    enum class Put : std::uint8_t { stored, cleared, full };
    struct PutResult {
        Put put;
        Rev rev;  ///< next of one global counter; drawn inside the shard's lock
    };
    /// Stores `message` (its rev is set here); an empty payload clears [MQTT-3.3.1-10, -11]. Ends with the seq_cst
    /// fence that makes "update retained, then read the route stamp" safe against SUBSCRIBE.
    [[nodiscard]] PutResult put(Retained message);
    /// Recovery: keeps the given rev; applies only if it is higher.
    void restore(Retained message);

    /// The revision at this moment. A SUBSCRIBE notes it after its insert (which ended with a fence); its replay then
    /// takes entries with rev <= it, newer ones come live.
    [[nodiscard]] Rev rev() const noexcept { return rev_.load(std::memory_order_acquire); }

    /// Position of a replay; start with a default one.
    struct Cursor {
        std::size_t shard = 0;
        std::string after;
        bool begun = false;
        bool done = false;
    };
    /// Appends matching messages with rev <= rev_max, visits at most `visits_max` entries, moves the cursor.
    void match(std::string_view filter, Rev rev_max, Cursor& cursor, std::size_t visits_max,
               std::vector<RetainedPtr>& out) const;
    [[nodiscard]] RetainedPtr get(std::string_view topic) const;

    [[nodiscard]] std::size_t size() const noexcept { return count_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

  private:
    struct Shard;
    static constexpr std::size_t kShards = 64;
    Limits limits_;
    std::array<std::unique_ptr<Shard>, kShards> shards_;
    std::atomic<Rev> rev_{0};
    std::atomic<std::size_t> count_{0};
    std::atomic<std::size_t> bytes_{0};
};

}  // namespace iotsky::broker
