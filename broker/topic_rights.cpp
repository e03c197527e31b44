#include "broker/topic_rights.hpp"

namespace iotsky::broker {

const TopicRights& TopicRightsCache::find(std::string_view topic, const Identity& identity,
                                          const std::shared_ptr<const acl::AuthContext>& rights,
                                          WallTime now) {
    if (!entries_) {
        entries_ = std::make_unique<std::array<TopicRights, kEntries>>();
    }
    for (const TopicRights& entry : *entries_) {
        if (entry.rights == rights && entry.received == topic) {
            return entry;
        }
    }
    TopicRights& entry = (*entries_)[next_];
    next_ = (next_ + 1) % kEntries;
    fill(entry, topic, identity, rights, now);
    return entry;
}

void TopicRightsCache::fill(TopicRights& entry, std::string_view topic, const Identity& identity,
                            const std::shared_ptr<const acl::AuthContext>& rights, WallTime now) {
    entry = {};
    entry.received = topic;
    const auto canonical = identity.alias.expand_topic(topic);
    if (!canonical) {
        return;
    }
    entry.canonical = *canonical;
    const acl::Verdict publish = rights->evaluate(acl::Action::publish, *canonical, now);
    const acl::Verdict retain = rights->evaluate(acl::Action::retain_publish, *canonical, now);
    entry.publish = publish.allowed;
    entry.retain = retain.allowed;
    if (publish.cacheable && retain.cacheable) {
        entry.rights = rights;  // otherwise the entry never matches: asked again each time
    }
}

}  // namespace iotsky::broker
