#include "api/handshake_log.hpp"

#include <algorithm>

namespace iotsky::api {
namespace {

constexpr std::chrono::seconds kFoldTime{10};

bool is_same(const HandshakeFailure& a, const HandshakeFailure& b) {
    return a.number == b.number && a.address == b.address && a.listener == b.listener &&
           a.certificate_name == b.certificate_name && a.server_name == b.server_name &&
           b.time - a.time < kFoldTime;
}

}  // namespace

void HandshakeLog::add(HandshakeFailure failure) {
    const LockGuard lock{mutex_};
    const auto equal = std::ranges::find_if(
        entries_, [&](const HandshakeFailure& entry) { return is_same(entry, failure); });
    if (equal != entries_.end()) {
        failure.count += equal->count;
        entries_.erase(equal);
    }
    if (entries_.size() >= entries_max_) {
        entries_.pop_front();
    }
    failure.seq = ++last_seq_;
    entries_.push_back(std::move(failure));
}

std::vector<HandshakeFailure> HandshakeLog::list(const std::string& address, std::uint64_t before,
                                                 std::size_t limit) const {
    const LockGuard lock{mutex_};
    std::vector<HandshakeFailure> out;
    for (auto entry = entries_.rbegin(); entry != entries_.rend() && out.size() < limit; ++entry) {
        if (entry->seq < before && (address.empty() || entry->address == address)) {
            out.push_back(*entry);
        }
    }
    return out;
}

}  // namespace iotsky::api
