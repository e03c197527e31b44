#pragma once

#include "api/broker_admin.hpp"
#include "api/handshake_log.hpp"
#include "api/http_stats.hpp"
#include "api/machine.hpp"
#include "base/clock.hpp"

namespace iotsky::api {

/// What handlers call; all must outlive the server. Each is any-thread.
struct Services {
    BrokerAdmin& broker;
    Machine& machine;
    HandshakeLog& handshakes;
    HttpStats& http;
    const Clock& clock;
};

}  // namespace iotsky::api
