#pragma once

#include <memory>
#include <vector>

#include "broker/connection.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// The connections of one thread. Confined to it.
class ConnectionTable {
  public:
    Connection& add(std::unique_ptr<Connection> connection) {
        std::uint32_t slot = 0;
        if (free_.empty()) {
            slot = static_cast<std::uint32_t>(slots_.size());
            slots_.emplace_back();
        } else {
            slot = free_.back();
            free_.pop_back();
        }
        Slot& place = slots_[slot];
        ++place.gen;
        connection->ref = {slot, place.gen};
        place.connection = std::move(connection);
        ++count_;
        return *place.connection;
    }
    /// Null when it is gone.
    [[nodiscard]] Connection* find(ConnRef ref) noexcept {
        return ref.slot < slots_.size() && slots_[ref.slot].gen == ref.gen
                   ? slots_[ref.slot].connection.get()
                   : nullptr;
    }
    void erase(ConnRef ref) {
        slots_[ref.slot].connection.reset();
        ++slots_[ref.slot].gen;
        free_.push_back(ref.slot);
        --count_;
    }
    template <typename F>
    void for_each(F&& f) {
        for (std::size_t i = 0; i < slots_.size(); ++i) {
            if (slots_[i].connection) {
                f(*slots_[i].connection);
            }
        }
    }
    [[nodiscard]] std::size_t size() const noexcept { return count_; }

  private:
    struct Slot {
        std::unique_ptr<Connection> connection;
        std::uint32_t gen = 0;
    };
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::size_t count_ = 0;
};

}  // namespace iotsky::broker
