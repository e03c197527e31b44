#include "broker/mailbox.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace iotsky::broker {
namespace {

constexpr std::size_t kSpareBuffersMax = 16;
// A buffer that one burst blew up is not kept for ever.
constexpr std::size_t kSpareBytesMax = 256U << 10U;

void wake_if_asleep(Waker* waker, Sleeper* sleeper) noexcept {
    if (sleeper != nullptr && sleeper->must_wake()) {
        waker->wake();
    }
}

/// Moves `from` to the end of `to`; an empty `to` trades buffers with it, so that both keep theirs.
template <typename T>
void swap_out(std::vector<T>& from, std::vector<T>& to) {
    if (to.empty()) {
        to.swap(from);
        return;
    }
    to.insert(to.end(), std::move_iterator(from.begin()), std::move_iterator(from.end()));
    from.clear();
}

}  // namespace

void Mailbox::publish(MailChunk&& chunk) {
    if (chunk.bytes.empty()) {
        return;
    }
    {
        const LockGuard lock(mutex_);
        bytes_.store(bytes_.load(std::memory_order_relaxed) + chunk.bytes.size(),
                     std::memory_order_relaxed);
        chunks_.push_back(std::move(chunk));
    }
    wake_if_asleep(waker_, sleeper_);
}

void Mailbox::drain(std::vector<MailChunk>& out) {
    const LockGuard lock(mutex_);
    swap_out(chunks_, out);
    bytes_.store(0, std::memory_order_relaxed);
}

void Mailbox::recycle(std::vector<MailChunk>&& used) {
    {
        const LockGuard lock(mutex_);
        for (MailChunk& chunk : used) {
            if (spare_.size() < kSpareBuffersMax && chunk.bytes.capacity() <= kSpareBytesMax) {
                chunk.bytes.clear();
                spare_.push_back(std::move(chunk.bytes));
            }
        }
    }
    used.clear();  // what was not kept is freed outside the lock
}

std::vector<std::byte> Mailbox::take_buffer() {
    const LockGuard lock(mutex_);
    if (spare_.empty()) {
        return {};
    }
    std::vector<std::byte> buffer = std::move(spare_.back());
    spare_.pop_back();
    return buffer;
}

void Mailbox::set_waker(Waker* waker, Sleeper* sleeper) noexcept {
    waker_ = waker;
    sleeper_ = sleeper;
}

bool ControlLane::post(std::unique_ptr<ControlMessage>& message) {
    const LockGuard lock(mutex_);
    if (closed_) {
        return false;
    }
    messages_.push_back(std::move(message));
    count_.store(messages_.size(), std::memory_order_relaxed);
    wake_if_asleep(waker_, sleeper_);
    return true;
}

void ControlLane::drain(std::vector<std::unique_ptr<ControlMessage>>& out) {
    const LockGuard lock(mutex_);
    swap_out(messages_, out);
    count_.store(0, std::memory_order_relaxed);
}

void ControlLane::close() {
    const LockGuard lock(mutex_);
    closed_ = true;
}

void ControlLane::set_waker(Waker* waker, Sleeper* sleeper) noexcept {
    waker_ = waker;
    sleeper_ = sleeper;
}

}  // namespace iotsky::broker
