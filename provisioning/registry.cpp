#include "provisioning/registry.hpp"

namespace iotsky::provisioning {

Registry::Registry(Store& store, CertificateIssuer& issuer, const Clock& clock, Random& random,
                   RegistryOptions options)
    : core_(store, issuer, clock, random, std::move(options)),
      idempotency_(core_),
      classes(core_),
      students(core_),
      projects(core_),
      things(core_, idempotency_),
      certificates(core_, idempotency_),
      policies(core_),
      tokens(core_),
      events(core_),
      audit(core_),
      chain(core_, things.pipeline()),
      roster(core_) {}

Result<void> Registry::start() {
    // Nobody is at work yet: whatever is reserved is left over from an earlier run.
    IOTSKY_CHECK(sweep(WallTime::max()));
    return core_.view.load(core_.store);
}

Result<void> Registry::maintain() {
    idempotency_.sweep();
    if (core_.view.stale()) {
        IOTSKY_CHECK(core_.view.load(core_.store));
    }
    IOTSKY_CHECK(tokens.write_uses());
    return sweep(core_.now() - core_.options.pending_life);
}

Result<void> Registry::sweep(WallTime pending_before) {
    const WallTime now = core_.now();
    const RegistryOptions& options = core_.options;
    return core_.store.transact_void(
        [&](Tx& tx) -> Result<void> {
            for (const Id& id : tx.pending_certificates(pending_before)) {
                tx.erase_certificate(id);
            }
            tx.erase_idempotency_before(now - options.idempotency_life);
            tx.erase_events_before(now - options.event_life);
            tx.give_back_space();
            return {};
        },
        Ending::commit);
}

}  // namespace iotsky::provisioning
