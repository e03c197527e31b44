#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/sleeper.hpp"
#include "base/thread.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// Bytes of one sender's turn for one receiver: records back to back (broker/delivery_record.hpp).
struct MailChunk {
    ThreadId from = 0;
    BatchNo batch = 0;  ///< the sender's batch; a gated QoS 2 delivery to a session that is not
                        ///< persistent waits for it
    std::vector<std::byte> bytes;
};

/// What wakes a sleeping io thread: an eventfd in broker/net, a flag in the simulation. Thread:
/// any.
class Waker {
  public:
    virtual ~Waker() = default;
    virtual void wake() noexcept = 0;
};

/// One thread's inbox for message traffic. Synchronised: one lock per sender and turn, one per
/// drain. Always drained, whatever the outputs look like (R5); a sender sees `waiting_bytes()` and
/// pauses its publishers.
class Mailbox {
  public:
    /// Any thread. Takes the chunk and wakes the owner if it sleeps.
    void publish(MailChunk&& chunk);
    /// Owner. Swaps out everything that waits, in order of arrival.
    void drain(std::vector<MailChunk>& out);
    /// Owner. Gives emptied buffers back so that senders need not allocate.
    void recycle(std::vector<MailChunk>&& used);
    /// Any thread. An empty buffer with capacity, if one is at hand.
    [[nodiscard]] std::vector<std::byte> take_buffer();
    [[nodiscard]] std::size_t waiting_bytes() const noexcept {
        return bytes_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool empty() const noexcept { return waiting_bytes() == 0; }

    void set_waker(Waker* waker, Sleeper* sleeper) noexcept;

  private:
    mutable Mutex mutex_;
    std::vector<MailChunk> chunks_ IOTSKY_GUARDED_BY(mutex_);
    std::vector<std::vector<std::byte>> spare_ IOTSKY_GUARDED_BY(mutex_);
    std::atomic<std::size_t> bytes_{0};
    Waker* waker_ = nullptr;
    Sleeper* sleeper_ = nullptr;
};

/// A message on the control lane: adoption, kicks, rights. Runs on the receiver before any data.
class ControlMessage {
  public:
    virtual ~ControlMessage() = default;
    virtual void run(class Shard& shard) = 0;
};

/// One thread's control lane. Drained first in every turn: a kick never waits behind data.
/// Synchronised.
class ControlLane {
  public:
    /// Any thread. False after close(): the message is handed back untouched. The owner is woken
    /// under the lock: once it has closed the lane, nobody touches its waker any more.
    [[nodiscard]] bool post(std::unique_ptr<ControlMessage>& message);
    void drain(std::vector<std::unique_ptr<ControlMessage>>& out);
    [[nodiscard]] bool empty() const noexcept {
        return count_.load(std::memory_order_relaxed) == 0;
    }
    /// The owner stops; nothing is taken any more.
    void close();
    void set_waker(Waker* waker, Sleeper* sleeper) noexcept;

  private:
    mutable Mutex mutex_;
    std::vector<std::unique_ptr<ControlMessage>> messages_ IOTSKY_GUARDED_BY(mutex_);
    bool closed_ IOTSKY_GUARDED_BY(mutex_) = false;
    std::atomic<std::size_t> count_{0};
    Waker* waker_ = nullptr;
    Sleeper* sleeper_ = nullptr;
};

}  // namespace iotsky::broker
