#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "broker/ids.hpp"

namespace iotsky::broker {

/// Which io threads are inside a turn. A turn draws numbers (revisions of retained messages) before
/// it appends the records that name them; who must not miss such a record waits until every turn
/// that was open is over. Synchronised: each thread writes its own word, anybody reads.
class OpenTurns {
  public:
    /// The threads' words at one moment.
    using Snapshot = std::array<std::uint32_t, kThreadsMax>;

    /// `thread` begins a turn, or is inside one already.
    void begin(ThreadId thread) noexcept {
        Word& word = words_[thread];
        const std::uint32_t now = word.count.load(std::memory_order_relaxed);
        word.count.store(now | 1U, std::memory_order_relaxed);
    }
    /// The turn is over, and everything of it appended.
    void end(ThreadId thread) noexcept {
        Word& word = words_[thread];
        const std::uint32_t now = word.count.load(std::memory_order_relaxed);
        // Release: who sees that it is over sees what it appended.
        word.count.store((now | 1U) + 1U, std::memory_order_release);
    }
    [[nodiscard]] Snapshot snapshot() const noexcept {
        Snapshot all{};
        for (std::size_t i = 0; i < all.size(); ++i) {
            all[i] = words_[i].count.load(std::memory_order_acquire);
        }
        return all;
    }
    /// Whether every turn that was open at `then` is over.
    [[nodiscard]] bool over(const Snapshot& then) const noexcept {
        for (std::size_t i = 0; i < then.size(); ++i) {
            const bool was_open = (then[i] & 1U) != 0;
            if (was_open && words_[i].count.load(std::memory_order_acquire) == then[i]) {
                return false;
            }
        }
        return true;
    }

  private:
    struct alignas(64) Word {
        std::atomic<std::uint32_t> count{0};  ///< odd: inside a turn
    };
    std::array<Word, kThreadsMax> words_;
};

}  // namespace iotsky::broker
