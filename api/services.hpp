#pragma once

#include <chrono>
#include <memory>

#include "api/backups.hpp"
#include "api/broker_admin.hpp"
#include "api/bundle/tickets.hpp"
#include "api/handshake_log.hpp"
#include "api/http_stats.hpp"
#include "api/machine.hpp"
#include "base/clock.hpp"
#include "certs/authority.hpp"
#include "provisioning/refusal_log.hpp"
#include "provisioning/registry.hpp"

namespace iotsky::api {

/// What handlers call; all must outlive the server. Each is any-thread.
struct Services {
    provisioning::Registry& registry;
    const certs::Authority& authority;
    provisioning::RefusalLog& refusals;
    HandshakeLog& handshakes;
    BundleTickets& tickets;
    BrokerAdmin& broker;
    Machine& machine;
    Backups& backups;
    HttpStats& http;
    const Clock& clock;
    /// Longest wait for an answer of the broker; then E4126.
    std::chrono::milliseconds broker_wait_max{2000};
};

}  // namespace iotsky::api
