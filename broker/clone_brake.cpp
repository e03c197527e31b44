#include "broker/clone_brake.hpp"

#include <algorithm>

namespace iotsky::broker {

CloneBrake::Fight& CloneBrake::fight_for(std::string_view key, TimePoint now) {
    if (fights_.size() >= sweep_at_) {
        std::erase_if(fights_, [&](const auto& entry) { return over(entry.second, now); });
        sweep_at_ = std::max(kSweepFrom, fights_.size() * 2);
    }
    const auto found = fights_.find(key);
    Fight& fight = found != fights_.end() ? found->second : fights_[std::string{key}];
    if (over(fight, now)) {
        fight = {};
    }
    std::deque<TimePoint>& times = fight.take_overs;
    while (!times.empty() && now - times.front() >= limits_.takeover_window) {
        times.pop_front();
    }
    return fight;
}

CloneBrake::Verdict CloneBrake::judge(std::string_view key, std::string_view holder,
                                      std::string_view newcomer, TimePoint now) {
    if (holder == newcomer) {
        return Verdict::same_board;
    }
    if (limits_.takeovers_max == 0) {
        return Verdict::clone;
    }
    Fight& fight = fight_for(key, now);
    if (!fight.decided && fight.take_overs.empty()) {
        fight.first = holder;
    }
    fight.last = now;
    const bool first_is_back = limits_.clone_stays == CloneStays::first && newcomer == fight.first;
    if (fight.decided) {
        return first_is_back ? Verdict::clone : Verdict::refused;
    }
    fight.take_overs.push_back(now);
    fight.decided = fight.take_overs.size() >= limits_.takeovers_max;
    const bool first_stays = limits_.clone_stays == CloneStays::first && holder == fight.first;
    return fight.decided && first_stays ? Verdict::refused : Verdict::clone;
}

}  // namespace iotsky::broker
