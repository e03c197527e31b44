#include "broker/session_table.hpp"

#include "base/assert.hpp"

namespace iotsky::broker {

Session* SessionTable::find(std::string_view scope, std::string_view client_id) {
    const auto found = by_key_.find(SessionKey::text(scope, client_id));
    return found == by_key_.end() ? nullptr : slots_[found->second].session.get();
}

Session* SessionTable::find(SessionRef ref) noexcept {
    if (ref.slot >= slots_.size() || slots_[ref.slot].gen != ref.gen) {
        return nullptr;
    }
    return slots_[ref.slot].session.get();
}

Session& SessionTable::create(SessionKey key) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
        slot = static_cast<std::uint32_t>(slots_.size());
        IOTSKY_ASSERT(slot < (1U << 24U));
        slots_.emplace_back();
    } else {
        slot = free_.back();
        free_.pop_back();
    }
    Slot& place = slots_[slot];
    ++place.gen;
    place.session = std::make_unique<Session>();
    Session& session = *place.session;
    session.ref.gen = place.gen;
    session.ref.slot = slot & 0xffffffU;
    session.ref.thread = thread_;
    by_key_.emplace(key.text(), slot);
    by_scope_[key.scope].push_back(slot);
    session.key = std::move(key);
    return session;
}

void SessionTable::erase(Session& session) {
    const std::uint32_t slot = session.ref.slot;
    by_key_.erase(session.key.text());
    const auto scope = by_scope_.find(session.key.scope);
    std::erase(scope->second, slot);
    if (scope->second.empty()) {
        by_scope_.erase(scope);
    }
    slots_[slot].session.reset();
    free_.push_back(slot);
}

std::vector<SessionRef> SessionTable::of_scope(std::string_view scope) const {
    std::vector<SessionRef> refs;
    if (const auto found = by_scope_.find(scope); found != by_scope_.end()) {
        for (const std::uint32_t slot : found->second) {
            refs.push_back(slots_[slot].session->ref);
        }
    }
    return refs;
}

ThreadId home_thread(std::string_view scope, std::string_view client_id,
                     unsigned threads) noexcept {
    const HashKey& key = process_hash_key();
    const std::uint64_t scope_hash = siphash24(key, scope);
    const std::uint64_t hash = siphash24({key.k0 ^ scope_hash, key.k1}, client_id);
    return static_cast<ThreadId>(hash % threads);
}

}  // namespace iotsky::broker
