#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "broker/flat_index.hpp"
#include "broker/subscriber.hpp"

namespace iotsky::broker {

/// The subscribers of one Topic Filter, one per session and form, in no order. Nearly always one of
/// them; a class's board has thousands, so a long list finds its members by hash. Confined.
class SubscriberList {
  public:
    /// Adds or replaces; returns what was replaced.
    std::optional<Subscriber> put(const Subscriber& subscriber);
    /// Returns what was removed.
    std::optional<Subscriber> erase(SessionRef session, Form form);
    /// Null if there is none. Neither session nor form may be changed through it.
    [[nodiscard]] Subscriber* find(SessionRef session, Form form) noexcept;

    [[nodiscard]] std::span<const Subscriber> all() const noexcept { return items_; }
    [[nodiscard]] bool empty() const noexcept { return items_.empty(); }

  private:
    static constexpr std::size_t kIndexedFrom = 64;
    static constexpr std::size_t kIndexedUntil = 32;

    void index_all();
    void take_back_memory();

    std::vector<Subscriber> items_;
    std::unique_ptr<FlatIndex> places_;  // position + 1 of each item; null for a short list
};

}  // namespace iotsky::broker
