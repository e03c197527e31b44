#pragma once

#include <cstddef>
#include <cstdint>

namespace iotsky::broker {

/// What is given up while one thread's queued messages are above `Limits::memory_bytes_max`, in
/// this order (`dataplane.md` 6, R4); each stage includes those before it. A persistent session
/// loses messages in the last one alone.
enum class MemoryStage : std::uint8_t {
    fine,
    qos0,          ///< above the mark: QoS 0 that would have to wait
    clean_queues,  ///< by an eighth: what a clean session above its fair share would have to keep
    new_sessions,  ///< by a quarter: CONNECTs that would begin a session get CONNACK 3
    largest,       ///< by a half: the queue of the session that holds most
};

[[nodiscard]] constexpr MemoryStage stage_of(std::size_t bytes, std::size_t mark) noexcept {
    if (bytes <= mark) {
        return MemoryStage::fine;
    }
    const std::size_t over = bytes - mark;
    return over > mark / 2   ? MemoryStage::largest
           : over > mark / 4 ? MemoryStage::new_sessions
           : over > mark / 8 ? MemoryStage::clean_queues
                             : MemoryStage::qos0;
}

}  // namespace iotsky::broker
