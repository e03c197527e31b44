#include "bench/load/loop.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <stdexcept>

namespace iotsky::load {

std::uint64_t now_ns() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(now.tv_nsec);
}

Loop::Loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (epoll_ < 0) {
        throw std::runtime_error("epoll_create1 failed");
    }
}

Loop::~Loop() {
    ::close(epoll_);
}

void Loop::watch(std::size_t index, bool write) {
    epoll_event event{};
    event.events = EPOLLIN | (write ? EPOLLOUT : 0U);
    event.data.u64 = index;
    Slot& slot = slots_[index];
    if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, slot.connection->fd(), &event) != 0) {
        throw std::runtime_error("epoll_ctl failed");
    }
    slot.watches_write = write;
}

std::size_t Loop::add(std::unique_ptr<Connection> connection) {
    const std::size_t index = slots_.size();
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.u64 = index;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd(), &event) != 0) {
        throw std::runtime_error("epoll_ctl failed");
    }
    slots_.push_back({std::move(connection), true, false});
    return index;
}

void Loop::remove(std::size_t index) {
    slots_[index].connection.reset();  // the descriptor leaves the epoll set with its close
}

void Loop::flush_later(std::size_t index) {
    if (!slots_[index].dirty) {
        slots_[index].dirty = true;
        dirty_.push_back(index);
    }
}

void Loop::flush_all() {
    for (const std::size_t index : dirty_) {
        Slot& slot = slots_[index];
        slot.dirty = false;
        if (slot.connection == nullptr) {
            continue;
        }
        slot.connection->flush();
        if (slot.connection->wants_write() != slot.watches_write) {
            watch(index, slot.connection->wants_write());
        }
    }
    dirty_.clear();
}

void Loop::turn(std::uint64_t wait_ns, const OnPacket& on_packet) {
    flush_all();
    std::array<epoll_event, 256> events{};
    const timespec wait{static_cast<time_t>(wait_ns / 1'000'000'000U),
                        static_cast<long>(wait_ns % 1'000'000'000U)};
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &wait, nullptr);
    if (count < 0 && errno != EINTR) {
        throw std::runtime_error("epoll_pwait2 failed");
    }
    for (int i = 0; i < count; ++i) {
        const auto index = static_cast<std::size_t>(events[static_cast<std::size_t>(i)].data.u64);
        if (slots_[index].connection == nullptr) {
            continue;
        }
        slots_[index].connection->on_ready();
        while (slots_[index].connection != nullptr) {
            const auto packet = slots_[index].connection->next_packet();
            if (!packet) {
                break;
            }
            on_packet(index, *packet);
        }
        flush_later(index);
    }
    flush_all();
}

}  // namespace iotsky::load
