#include "api/refusal_history.hpp"

#include <algorithm>

namespace iotsky::api {
namespace {

constexpr std::chrono::seconds kFoldTime{10};
/// An equal entry is looked for among so many of the newest.
constexpr std::size_t kFoldDepth = 32;

bool is_same(const broker::Refusal& a, const broker::Refusal& b) {
    return a.number == b.number && a.identity == b.identity && a.client_id == b.client_id &&
           a.topic == b.topic && a.what == b.what && a.address == b.address;
}

bool is_same(const HandshakeFailure& a, const HandshakeFailure& b) {
    return a.number == b.number && a.address == b.address && a.listener == b.listener &&
           a.certificate_name == b.certificate_name;
}

/// Moves an equal recent entry to the end, counted; else appends. `part` selects what is compared.
template <typename Entry, typename Item>
void add(std::deque<Entry>& entries, Item Entry::*part, Item item, std::uint64_t seq,
         std::size_t entries_max) {
    const std::size_t depth = std::min(entries.size(), kFoldDepth);
    const auto first = entries.end() - static_cast<std::ptrdiff_t>(depth);
    const auto equal = std::find_if(first, entries.end(), [&](const Entry& entry) {
        return is_same(entry.*part, item) && item.time - (entry.*part).time < kFoldTime;
    });
    if (equal != entries.end()) {
        item.count += (*equal.*part).count;
        entries.erase(equal);
    }
    if (entries.size() >= entries_max) {
        entries.pop_front();
    }
    Entry entry;
    entry.seq = seq;
    entry.*part = std::move(item);
    entries.push_back(std::move(entry));
}

bool matches(const RefusalFilter& filter, const RefusalEntry& entry) {
    return entry.seq > filter.after && entry.seq < filter.before &&
           (!filter.class_name || *filter.class_name == entry.refusal.class_name) &&
           (!filter.thing_id || *filter.thing_id == entry.refusal.thing_id);
}

}  // namespace

void RefusalHistory::refused(const broker::Refusal& refusal) {
    const LockGuard lock{mutex_};
    add(refusals_, &RefusalEntry::refusal, refusal, ++last_seq_, entries_max_);
}

void RefusalHistory::handshake_failed(const HandshakeFailure& failure) {
    const LockGuard lock{mutex_};
    add(handshakes_, &HandshakeEntry::failure, failure, ++last_seq_, entries_max_);
}

std::vector<RefusalEntry> RefusalHistory::refusals(const RefusalFilter& filter) const {
    const LockGuard lock{mutex_};
    std::vector<RefusalEntry> out;
    for (auto entry = refusals_.rbegin(); entry != refusals_.rend() && out.size() < filter.limit;
         ++entry) {
        if (matches(filter, *entry)) {
            out.push_back(*entry);
        }
    }
    return out;
}

std::vector<HandshakeEntry> RefusalHistory::handshakes(const std::string& address,
                                                       std::uint64_t before,
                                                       std::size_t limit) const {
    const LockGuard lock{mutex_};
    std::vector<HandshakeEntry> out;
    for (auto entry = handshakes_.rbegin(); entry != handshakes_.rend() && out.size() < limit;
         ++entry) {
        if (entry->seq < before && (address.empty() || entry->failure.address == address)) {
            out.push_back(*entry);
        }
    }
    return out;
}

}  // namespace iotsky::api
