#include "broker/pressure.hpp"

namespace iotsky::broker {

PressureTable::PressureTable(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.push_back(std::make_unique<Thread>());
    }
}

void PressureTable::set(SessionRef session, Pressure pressure) {
    Thread& thread = *threads_[session.thread];
    std::atomic<Page*>& place = thread.pages[std::size_t{session.slot} >> kPageBits];
    Page* page = place.load(std::memory_order_relaxed);
    if (page == nullptr) {
        if (pressure == Pressure::none) {
            return;
        }
        thread.owned.push_back(std::make_unique<Page>());
        page = thread.owned.back().get();
        place.store(page, std::memory_order_release);
    }
    (*page)[session.slot % kPerPage].store(static_cast<std::uint8_t>(pressure),
                                           std::memory_order_relaxed);
}

Pressure PressureTable::get(SessionRef session) const noexcept {
    if (session.thread >= threads_.size()) {
        return Pressure::none;  // a service
    }
    const Page* page = threads_[session.thread]->pages[std::size_t{session.slot} >> kPageBits].load(
        std::memory_order_acquire);
    return page == nullptr ? Pressure::none
                           : static_cast<Pressure>(
                                 (*page)[session.slot % kPerPage].load(std::memory_order_relaxed));
}

}  // namespace iotsky::broker
