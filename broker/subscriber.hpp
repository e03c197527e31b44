#pragma once

#include <cstdint>
#include <memory>

#include "acl/auth_context.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

/// One subscription as the index holds it: whom it leads to and with what rights.
struct Subscriber {
    SessionRef session;
    Sid sid = 0;
    std::uint8_t qos = 0;
    Form form = Form::plain;
    TargetKind kind = TargetKind::session;
    bool masked = false;  ///< rights were narrowed: kept, but nothing is delivered until they are
                          ///< granted again
    acl::ReceiveClass receive = acl::ReceiveClass::all;
    std::shared_ptr<const acl::AuthContext>
        rights;  ///< null: everything may be received (services)
};

}  // namespace iotsky::broker
