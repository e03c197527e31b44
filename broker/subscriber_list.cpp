#include "broker/subscriber_list.hpp"

#include <utility>

namespace iotsky::broker {
namespace {

bool is(const Subscriber& subscriber, SessionRef session, Form form) noexcept {
    return subscriber.session == session && subscriber.form == form;
}

/// Unkeyed: no peer chooses a SessionRef.
std::uint32_t hash(SessionRef session, Form form) noexcept {
    const std::uint64_t mixed =
        (session.packed() ^ static_cast<std::uint64_t>(form)) * 0x9e3779b97f4a7c15U;
    return static_cast<std::uint32_t>(mixed >> 32U);
}

std::uint32_t hash(const Subscriber& subscriber) noexcept {
    return hash(subscriber.session, subscriber.form);
}

}  // namespace

Subscriber* SubscriberList::find(SessionRef session, Form form) noexcept {
    if (places_) {
        const std::uint32_t number = places_->find(
            hash(session, form), [&](std::uint32_t n) { return is(items_[n - 1], session, form); });
        return number == 0 ? nullptr : &items_[number - 1];
    }
    for (Subscriber& subscriber : items_) {
        if (is(subscriber, session, form)) {
            return &subscriber;
        }
    }
    return nullptr;
}

std::optional<Subscriber> SubscriberList::put(const Subscriber& subscriber) {
    if (Subscriber* known = find(subscriber.session, subscriber.form)) {
        return std::exchange(*known, subscriber);
    }
    items_.push_back(subscriber);
    if (places_) {
        places_->insert(hash(subscriber), static_cast<std::uint32_t>(items_.size()));
    } else if (items_.size() >= kIndexedFrom) {
        index_all();
    }
    return std::nullopt;
}

std::optional<Subscriber> SubscriberList::erase(SessionRef session, Form form) {
    Subscriber* known = find(session, form);
    if (known == nullptr) {
        return std::nullopt;
    }
    Subscriber& last = items_.back();
    if (places_) {
        const auto number = static_cast<std::uint32_t>(known - items_.data()) + 1;
        places_->erase(hash(*known), number);
        if (known != &last) {
            places_->renumber(hash(last), static_cast<std::uint32_t>(items_.size()), number);
        }
    }
    Subscriber gone = std::exchange(*known, std::move(last));
    items_.pop_back();
    take_back_memory();
    return gone;
}

void SubscriberList::index_all() {
    places_ = std::make_unique<FlatIndex>();
    std::uint32_t number = 0;
    for (const Subscriber& subscriber : items_) {
        places_->insert(hash(subscriber), ++number);
    }
}

void SubscriberList::take_back_memory() {
    if (items_.size() < kIndexedUntil) {
        places_.reset();
    }
    if (4 * items_.size() < items_.capacity()) {
        items_.shrink_to_fit();
    }
}

}  // namespace iotsky::broker
