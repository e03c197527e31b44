#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "broker/ids.hpp"

namespace iotsky::broker {

/// How full the queue of a session is, for those who publish to it.
enum class Pressure : std::uint8_t {
    none,
    half,  ///< above half of its limit, and its client is here to take messages
    full,  ///< at its limit; until a quarter of it is free again
};

/// What publishers look at of every session: its pressure, and whether it is relaxed
/// (`dataplane.md` 2.3, R3). One byte each beside the topic index, found by SessionRef: a change
/// costs its home thread one store, not an update of each of its filters and of all routes that
/// they are in. Written by the session's home thread, read by any.
class PressureTable {
  public:
    explicit PressureTable(unsigned threads);
    /// Home thread of the session.
    void set(SessionRef session, Pressure pressure);
    /// Any thread; two loads. An old reference may read what its slot says of another session.
    [[nodiscard]] Pressure get(SessionRef session) const noexcept;

    /// Whether those who publish to the session need not wait for the disk on its account
    /// (Durability::relaxed). Written and read as above; false until it is set.
    void set_relaxed(SessionRef session, bool relaxed);
    [[nodiscard]] bool relaxed(SessionRef session) const noexcept;

    /// The session ends: what its slot says is not the next one's. Home thread.
    void forget(SessionRef session);

  private:
    static constexpr unsigned kPageBits = 12;
    static constexpr std::size_t kPerPage = std::size_t{1} << kPageBits;
    static constexpr std::size_t kPages = std::size_t{1} << (24 - kPageBits);  // slots have 24 bits
    using Page = std::array<std::atomic<std::uint8_t>, kPerPage>;
    struct Thread {
        std::array<std::atomic<Page*>, kPages> pages{};
        std::vector<std::unique_ptr<Page>> owned;
    };

    static constexpr std::uint8_t kRelaxed = 0x80;

    /// Its byte, made when `bits` is not 0; null: it is 0.
    [[nodiscard]] std::atomic<std::uint8_t>* byte_of(SessionRef session, std::uint8_t bits);
    [[nodiscard]] std::uint8_t read(SessionRef session) const noexcept;

    std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace iotsky::broker
