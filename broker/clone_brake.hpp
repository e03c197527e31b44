#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/siphash.hpp"
#include "broker/options.hpp"

namespace iotsky::broker {

/// Ends the fight of two boards for one session (`product.md` U5). Each connects, which closes the
/// other, which connects again; both believe that the network is bad. After some take-overs in a
/// short time one of them stays, and the other is refused while it does.
///
/// Boards are told apart by their addresses: a board that takes over from its own address has lost
/// its connection without a word (a reset, a flash, a bad radio), and is always let in. Confined to
/// the home thread of its sessions.
class CloneBrake {
  public:
    explicit CloneBrake(const Limits& limits) noexcept : limits_(limits) {}

    enum class Verdict : std::uint8_t {
        same_board,  ///< takes over
        clone,       ///< takes over
        refused,     ///< the one that is connected stays
    };
    /// A CONNECT for the session `key` comes from `newcomer` while `holder` is connected.
    [[nodiscard]] Verdict judge(std::string_view key, std::string_view holder,
                                std::string_view newcomer, TimePoint now);

    [[nodiscard]] std::size_t size() const noexcept { return fights_.size(); }

  private:
    struct Fight {
        std::deque<TimePoint> take_overs;  ///< by another address, in the window
        std::string first;                 ///< address of the board that was there before
        bool decided = false;
        TimePoint last{};  ///< last attempt
    };
    [[nodiscard]] Fight& fight_for(std::string_view key, TimePoint now);
    [[nodiscard]] bool over(const Fight& fight, TimePoint now) const noexcept {
        return now - fight.last >= limits_.takeover_window;
    }

    static constexpr std::size_t kSweepFrom = 1024;

    const Limits& limits_;
    std::unordered_map<std::string, Fight, KeyedHash, std::equal_to<>> fights_;
    std::size_t sweep_at_ = kSweepFrom;
};

}  // namespace iotsky::broker
