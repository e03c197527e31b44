#include "provisioning/registry_view.hpp"

#include <algorithm>
#include <iterator>

#include "base/log.hpp"
#include "provisioning/names.hpp"
#include "provisioning/view_loader.hpp"

namespace iotsky::provisioning {
namespace {

Error refused(std::string_view number, std::string what, std::string why, std::string how) {
    return make_error(Errc::permission_denied, number, std::move(what), std::move(why),
                      std::move(how));
}

bool contains(const std::vector<Id>& ids, const Id& id) {
    return std::find(ids.begin(), ids.end(), id) != ids.end();
}

bool touches(const Affected& affected, const CertificateView& entry) {
    return contains(affected.certificates, entry.certificate_id) ||
           (entry.thing && contains(affected.things, entry.thing->id)) ||
           (entry.class_view && contains(affected.classes, entry.class_view->id)) ||
           std::any_of(entry.policy_ids.begin(), entry.policy_ids.end(),
                       [&](const Id& id) { return contains(affected.policies, id); });
}

}  // namespace

struct RegistryView::Loader : ViewLoader {};

std::shared_ptr<const acl::RuleSet> CertificateView::rules() const {
    std::call_once(compiled_, [this] { rules_ = compile_rules(*this); });
    return rules_;
}

std::optional<Error> CertificateView::refusal(WallTime now) const {
    switch (status) {
        case CertificateStatus::revoked:
            return refused("E3302", "The certificate of " + name + " was revoked.",
                           "A revoked certificate stays revoked.",
                           "Issue a new one: iotsky bundle make " + name);
        case CertificateStatus::suspended:
            return refused("E3303", "The certificate of " + name + " is suspended.",
                           "It was switched off for now.", "Ask who runs this broker.");
        case CertificateStatus::pending:
        case CertificateStatus::inactive:
            return refused("E3304", "The certificate of " + name + " is not active.",
                           "It was registered, but not switched on.", "Ask who runs this broker.");
        case CertificateStatus::active:
            break;
    }
    if (class_view && class_view->ends_on && now >= end_of(*class_view->ends_on)) {
        return class_over(class_view->name, *class_view->ends_on);
    }
    if (now >= not_after) {
        return refused("E3305", "The certificate of " + name + " has ended.",
                       "It was valid until " + format_utc(not_after) + ".",
                       "Issue a new one: iotsky bundle make " + name);
    }
    return std::nullopt;
}

RegistryView::RegistryView()
    : shards_(std::make_unique<std::array<Shard, 64>>()),
      loader_(std::make_unique<Loader>()),
      tokens_(std::make_shared<const TokenTable>()) {}
RegistryView::~RegistryView() = default;

RegistryView::Shard& RegistryView::shard(const certs::Fingerprint& fingerprint) const {
    return (*shards_)[fingerprint.bytes[31] % shards_->size()];
}

std::shared_ptr<const CertificateView> RegistryView::find(
    const certs::Fingerprint& fingerprint) const {
    const Shard& place = shard(fingerprint);
    const SharedLockGuard lock(place.mutex);
    const auto found = place.entries.find(fingerprint);
    return found == place.entries.end() ? nullptr : found->second;
}

std::size_t RegistryView::size() const {
    std::size_t total = 0;
    for (const Shard& place : *shards_) {
        const SharedLockGuard lock(place.mutex);
        total += place.entries.size();
    }
    return total;
}

void RegistryView::for_each(const std::function<void(const CertificateView&)>& visit) const {
    std::vector<std::shared_ptr<const CertificateView>> copies;
    for (const Shard& place : *shards_) {
        copies.clear();
        {
            const SharedLockGuard lock(place.mutex);
            for (const auto& [fingerprint, entry] : place.entries) {
                copies.push_back(entry);
            }
        }
        for (const auto& entry : copies) {
            visit(*entry);
        }
    }
}

bool RegistryView::put(std::shared_ptr<const CertificateView> entry) {
    Shard& place = shard(entry->fingerprint);
    const LockGuard lock(place.mutex);
    auto& slot = place.entries[entry->fingerprint];
    const bool known = slot != nullptr;
    slot = std::move(entry);
    return known;
}

Result<void> RegistryView::load(Store& store) {
    const LockGuard publishing(publishing_);
    Loader& loader = *loader_;
    std::vector<std::shared_ptr<const CertificateView>> entries;
    std::shared_ptr<const TokenTable> table;
    IOTSKY_CHECK(store.read_void([&](Reader& reader) -> Result<void> {
        loader.begin();
        table = loader.tokens(reader);
        reader.for_each_certificate_facts([&](CertificateFacts&& facts) {
            entries.push_back(loader.view_of(reader, std::move(facts)));
        });
        return {};
    }));
    for (auto& entry : entries) {
        put(std::move(entry));
    }
    put(std::move(table));
    stale_ = false;
    return {};
}

Refreshed RegistryView::refresh(Store& store, const Affected& affected) {
    Refreshed refreshed;
    if (affected.empty()) {
        return refreshed;
    }
    const LockGuard publishing(publishing_);
    Loader& loader = *loader_;
    std::vector<std::shared_ptr<const CertificateView>> entries;
    std::shared_ptr<const TokenTable> table;
    const Result<void> read = store.read_void([&](Reader& reader) -> Result<void> {
        loader.begin();
        if (affected.tokens || !affected.classes.empty()) {
            table = loader.tokens(reader);
        }
        for (const Id& id : reader.certificates_affected(affected)) {
            if (auto facts = reader.certificate_facts(id)) {
                entries.push_back(loader.view_of(reader, std::move(*facts)));
            }
        }
        return {};
    });
    if (!read) {
        deny(affected, refreshed);
        return refreshed;
    }
    for (auto& entry : entries) {
        const auto before = find(entry->fingerprint);
        std::string scope = entry->scope;
        put(std::move(entry));
        if (before) {
            if (before->scope != scope) {
                refreshed.scopes.push_back(before->scope);
            }
            refreshed.scopes.push_back(std::move(scope));
        }
    }
    if (table) {
        std::ranges::move(put(std::move(table)), std::back_inserter(refreshed.scopes));
    }
    return refreshed;
}

/// The commit stands, but what it says cannot be read: nobody whom it may concern keeps rights.
void RegistryView::deny(const Affected& affected, Refreshed& refreshed) {
    log::error("E5304", "registry unreadable after a change; its identities are refused until it can be read");
    refreshed.complete = false;
    stale_ = true;
    std::vector<std::shared_ptr<CertificateView>> denied;
    Loader& loader = *loader_;
    for_each([&](const CertificateView& entry) {
        if (touches(affected, entry)) {
            denied.push_back(loader.denied(entry));
        }
    });
    for (auto& entry : denied) {
        refreshed.scopes.push_back(entry->scope);
        put(std::move(entry));
    }
    if (affected.tokens || !affected.classes.empty()) {
        std::ranges::move(put(loader.denied(*tokens(), affected)),
                          std::back_inserter(refreshed.scopes));
    }
}

std::vector<std::string> RegistryView::put(std::shared_ptr<const TokenTable> table) {
    const LockGuard lock(tokens_mutex_);
    std::vector<std::string> changed = table->changed_since(*tokens_);
    tokens_ = std::move(table);
    return changed;
}

std::shared_ptr<const TokenTable> RegistryView::tokens() const {
    const LockGuard lock(tokens_mutex_);
    return tokens_;
}

bool RegistryView::stale() const noexcept {
    return stale_;
}

}  // namespace iotsky::provisioning
