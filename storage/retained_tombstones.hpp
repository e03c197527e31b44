#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/siphash.hpp"
#include "broker/ids.hpp"
#include "broker/open_turns.hpp"

namespace iotsky::storage {

/// Retained topics that were deleted while a record with an older value may still come: two threads
/// published, one of them deleted, and the log has them the other way round. A tombstone is kept
/// until every turn that was open is over and what it appended is applied. Confined to the store
/// thread.
class RetainedTombstones {
  public:
    /// Whether a value of `rev` comes after the deletion of its topic.
    [[nodiscard]] bool allows(std::string_view topic, broker::Rev rev) const;
    /// A batch deleted `topics` (with their revisions). `open`: the turns after it was taken.
    struct Deleted {
        std::string topic;
        broker::Rev rev = 0;
    };
    void add(std::vector<Deleted> topics, const broker::OpenTurns::Snapshot& open);
    /// Batch `applied` is on disk, the next one takes appends.
    void forget(const broker::OpenTurns& turns, broker::BatchNo applied);
    [[nodiscard]] std::size_t size() const noexcept { return revs_.size(); }

  private:
    struct Generation {
        std::vector<Deleted> topics;
        broker::OpenTurns::Snapshot open;
        broker::BatchNo last_batch = 0;  ///< may hold an older value; 0: a turn is still open
    };
    std::deque<Generation> generations_;
    std::unordered_map<std::string, broker::Rev, KeyedHash, std::equal_to<>> revs_;
};

}  // namespace iotsky::storage
