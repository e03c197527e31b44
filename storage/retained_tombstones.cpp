#include "storage/retained_tombstones.hpp"

#include <algorithm>

namespace iotsky::storage {

bool RetainedTombstones::allows(std::string_view topic, broker::Rev rev) const {
    const auto found = revs_.find(topic);
    return found == revs_.end() || rev > found->second;
}

void RetainedTombstones::add(std::vector<Deleted> topics, const broker::OpenTurns::Snapshot& open) {
    for (const Deleted& deleted : topics) {
        broker::Rev& kept = revs_[deleted.topic];
        kept = std::max(kept, deleted.rev);
    }
    generations_.push_back({std::move(topics), open, 0});
}

void RetainedTombstones::forget(const broker::OpenTurns& turns, broker::BatchNo applied) {
    for (Generation& generation : generations_) {
        if (generation.last_batch == 0 && turns.over(generation.open)) {
            generation.last_batch = applied + 1;  // what those turns appended is in it or before
        }
    }
    while (!generations_.empty() && generations_.front().last_batch != 0 &&
           generations_.front().last_batch <= applied) {
        for (const Deleted& deleted : generations_.front().topics) {
            const auto found = revs_.find(deleted.topic);
            if (found != revs_.end() && found->second <= deleted.rev) {
                revs_.erase(found);  // else deleted again meanwhile
            }
        }
        generations_.pop_front();
    }
}

}  // namespace iotsky::storage
