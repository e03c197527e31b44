#include "broker/pressure.hpp"

namespace iotsky::broker {

PressureTable::PressureTable(unsigned threads) {
    for (unsigned i = 0; i < threads; ++i) {
        threads_.push_back(std::make_unique<Thread>());
    }
}

std::atomic<std::uint8_t>* PressureTable::byte_of(SessionRef session, std::uint8_t bits) {
    Thread& thread = *threads_[session.thread];
    std::atomic<Page*>& place = thread.pages[std::size_t{session.slot} >> kPageBits];
    Page* page = place.load(std::memory_order_relaxed);
    if (page == nullptr) {
        if (bits == 0) {
            return nullptr;
        }
        thread.owned.push_back(std::make_unique<Page>());
        page = thread.owned.back().get();
        place.store(page, std::memory_order_release);
    }
    return &(*page)[session.slot % kPerPage];
}

void PressureTable::set(SessionRef session, Pressure pressure) {
    const auto bits = static_cast<std::uint8_t>(pressure);
    if (std::atomic<std::uint8_t>* byte = byte_of(session, bits)) {
        const std::uint8_t other = byte->load(std::memory_order_relaxed) & kRelaxed;
        byte->store(static_cast<std::uint8_t>(other | bits), std::memory_order_relaxed);
    }
}

void PressureTable::set_relaxed(SessionRef session, bool relaxed) {
    const std::uint8_t bits = relaxed ? kRelaxed : std::uint8_t{0};
    if (std::atomic<std::uint8_t>* byte = byte_of(session, bits)) {
        const unsigned other = byte->load(std::memory_order_relaxed) & ~unsigned{kRelaxed};
        byte->store(static_cast<std::uint8_t>(other | bits), std::memory_order_relaxed);
    }
}

void PressureTable::forget(SessionRef session) {
    if (std::atomic<std::uint8_t>* byte = byte_of(session, 0)) {
        byte->store(0, std::memory_order_relaxed);
    }
}

std::uint8_t PressureTable::read(SessionRef session) const noexcept {
    if (session.thread >= threads_.size()) {
        return 0;  // a service
    }
    const Page* page = threads_[session.thread]->pages[std::size_t{session.slot} >> kPageBits].load(
        std::memory_order_acquire);
    return page == nullptr ? std::uint8_t{0}
                           : (*page)[session.slot % kPerPage].load(std::memory_order_relaxed);
}

Pressure PressureTable::get(SessionRef session) const noexcept {
    return static_cast<Pressure>(read(session) & ~unsigned{kRelaxed});
}

bool PressureTable::relaxed(SessionRef session) const noexcept {
    return (read(session) & kRelaxed) != 0;
}

}  // namespace iotsky::broker
