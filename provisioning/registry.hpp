#pragma once

#include "provisioning/certificates.hpp"
#include "provisioning/chain.hpp"
#include "provisioning/classes.hpp"
#include "provisioning/core.hpp"
#include "provisioning/events.hpp"
#include "provisioning/idempotency.hpp"
#include "provisioning/policies.hpp"
#include "provisioning/projects.hpp"
#include "provisioning/roster/roster.hpp"
#include "provisioning/students.hpp"
#include "provisioning/things.hpp"
#include "provisioning/tokens.hpp"

namespace iotsky::provisioning {

/// The registry of an installation: one member per noun, over one database, one CA, one published
/// view. Thread: any; every call that changes something blocks for a commit, so the callers are
/// `work` threads.
class Registry {
  public:
    /// Everything handed in outlives the registry.
    Registry(Store& store, CertificateIssuer& issuer, const Clock& clock, Random& random,
             RegistryOptions options = {});
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// Loads the view and sweeps what an earlier run left. Before the first listener opens.
    [[nodiscard]] Result<void> start();
    /// Upkeep, about once a minute: reserved serials, old events and keys go; a view that could not
    /// be read is read again; uses of tokens over MQTT are noted.
    [[nodiscard]] Result<void> maintain();

    /// Who is told of changed rights; before start(), not again later.
    void set_rights_listener(RightsListener* listener) noexcept { core_.set_listener(listener); }
    /// Called on `work` threads after commits that may have added events; before start().
    void set_events_hook(std::function<void()> hook) { core_.set_events_hook(std::move(hook)); }
    /// How long chains took; see Core. Thread: any.
    [[nodiscard]] const Histogram& provisioning_seconds() const noexcept {
        return core_.provisioning_seconds();
    }
    /// Settings of classes made from now on ([defaults.class]). Thread: any.
    void set_class_defaults(const ClassSettings& defaults) { core_.set_class_defaults(defaults); }
    [[nodiscard]] const RegistryView& view() const noexcept { return core_.view; }

    /// The private key of a call with this Idempotency-Key has left completely.
    void delivered(const Caller& caller, std::string_view key) {
        idempotency_.delivered(caller, key);
    }

  private:
    [[nodiscard]] Result<void> sweep(WallTime pending_before);

    Core core_;
    Idempotency idempotency_;

  public:
    Classes classes;
    Students students;
    Projects projects;
    Things things;
    Certificates certificates;
    Policies policies;
    Tokens tokens;
    Events events;
    Audit audit;
    Chain chain;
    Roster roster;
};

}  // namespace iotsky::provisioning
