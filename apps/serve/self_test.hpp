#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/random.hpp"
#include "certs/authority.hpp"

namespace iotsky::apps {

/// What a self-test is made with.
struct SelfTestInput {
    const certs::OpenedAuthority& ca;
    certs::ServerNames names;           ///< of the server certificate
    std::filesystem::path data_folder;  ///< its ticket keys are used
    std::uint16_t port = 8883;          ///< must be free; 0: any
};

/// One line of it.
struct SelfTestRow {
    std::string what;  ///< "TLS 1.3"
    std::string why;   ///< what went wrong; empty: it works
    [[nodiscard]] bool passed() const noexcept { return why.empty(); }
};

/// Serves MQTT with the installation's certificate for a moment, and connects to it as devices
/// will: TLS 1.3, TLS 1.2, with records of 512 bytes, at a clock of 1970, and a message there and
/// back. Through an address of the certificate that this machine has; without one through
/// 127.0.0.1, by name. The identity that connects is made for it and known to nobody else. Takes
/// about 0.1 s. Errors: those of net::Listener::bind (the port), E5240. Thread: any, blocks.
[[nodiscard]] Result<std::vector<SelfTestRow>> self_test(const SelfTestInput& input,
                                                         const Clock& clock, Random& random);

}  // namespace iotsky::apps
