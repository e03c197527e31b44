#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace iotsky::broker {

/// A hash table from a caller's 32-bit hash to a number of the caller's, which is not 0; the key
/// itself lies with the caller, who compares it. Open addressing, 8 bytes per place, no tombstones,
/// no memory while empty. Confined.
class FlatIndex {
  public:
    /// The number with this hash for which `is_it(number)` holds; 0 if there is none.
    template <typename IsIt>
    [[nodiscard]] std::uint32_t find(std::uint32_t hash, IsIt&& is_it) const {
        if (places_.empty()) {
            return 0;
        }
        for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
            const Place& place = places_[at];
            if (place.number == 0) {
                return 0;
            }
            if (place.hash == hash && is_it(place.number)) {
                return place.number;
            }
        }
    }
    /// `number` is not in it yet.
    void insert(std::uint32_t hash, std::uint32_t number) {
        if (4 * (used_ + 1) > 3 * places_.size()) {
            resize(places_.empty() ? kPlacesMin : 2 * places_.size());
        }
        put({hash, number});
        ++used_;
    }
    /// `number` is in it, under this hash.
    void erase(std::uint32_t hash, std::uint32_t number) {
        std::size_t hole = hash & mask();
        while (places_[hole].number != number) {
            hole = (hole + 1) & mask();
        }
        close(hole);
        --used_;
        if (used_ == 0) {
            std::vector<Place>().swap(places_);
        } else if (places_.size() > kPlacesMin && 8 * used_ < places_.size()) {
            resize(places_.size() / 2);
        }
    }
    /// The number of an element changes; its key and hash stay.
    void renumber(std::uint32_t hash, std::uint32_t from, std::uint32_t to) {
        std::size_t at = hash & mask();
        while (places_[at].number != from) {
            at = (at + 1) & mask();
        }
        places_[at].number = to;
    }
    [[nodiscard]] std::size_t size() const noexcept { return used_; }

  private:
    struct Place {
        std::uint32_t hash = 0;
        std::uint32_t number = 0;
    };
    static constexpr std::size_t kPlacesMin = 8;

    [[nodiscard]] std::size_t mask() const noexcept { return places_.size() - 1; }
    void put(Place place) noexcept {
        std::size_t at = place.hash & mask();
        while (places_[at].number != 0) {
            at = (at + 1) & mask();
        }
        places_[at] = place;
    }
    /// Moves later elements of the run back over the hole, where that keeps them reachable.
    void close(std::size_t hole) noexcept {
        for (std::size_t at = (hole + 1) & mask(); places_[at].number != 0;
             at = (at + 1) & mask()) {
            const std::size_t wanted = places_[at].hash & mask();
            if (((at - wanted) & mask()) >= ((at - hole) & mask())) {
                places_[hole] = places_[at];
                hole = at;
            }
        }
        places_[hole] = {};
    }
    void resize(std::size_t size) {
        std::vector<Place> old(size);
        old.swap(places_);
        for (const Place& place : old) {
            if (place.number != 0) {
                put(place);
            }
        }
    }

    std::vector<Place> places_;  // a power of two of them, at most 3/4 in use
    std::size_t used_ = 0;
};

}  // namespace iotsky::broker
