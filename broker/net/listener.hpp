#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "broker/net/options.hpp"
#include "broker/net/web_connection.hpp"

namespace iotsky::net {

struct ListenerShared;
class HandshakeDoctor;
class TlsSlot;

/// The listening sockets of one `[listener.NAME]`: one per io thread, on one port (SO_REUSEPORT).
/// Connections wait in the kernel from bind() on; IoThreads::serve() begins to take them.
/// Move-only.
class Listener {
  public:
    /// What a listener needs besides; empty for plain MQTT.
    struct Parts {
        std::shared_ptr<TlsSlot> slot;            ///< TLS: keep it to swap the certificate later
        std::shared_ptr<HandshakeDoctor> doctor;  ///< may be shared by listeners; null: not told
        WebHandler web;                           ///< https: who serves what is not MQTT
    };

    /// Binds `options.bind` for `threads` io threads, 1 .. 64. A probe without SO_REUSEPORT goes
    /// first, because with it a second program of the same user would bind without an error.
    /// Errors: E1101 port taken (names the owner), E1121 text of `bind`, E1122 not an address of
    /// this machine, E1123 privileged port, E1124 anything else. Thread: any.
    [[nodiscard]] static Result<Listener> bind(const ListenerOptions& options, unsigned threads,
                                               const Parts& parts = {});

    Listener(Listener&&) noexcept;
    Listener& operator=(Listener&&) noexcept;
    ~Listener();

    /// The address it is bound to, e.g. "0.0.0.0", "::", "127.0.0.1".
    [[nodiscard]] const std::string& host() const noexcept { return host_; }
    /// The port, also when `bind` said 0.
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] const ListenerOptions& options() const noexcept;
    /// What its connections share.
    [[nodiscard]] const std::shared_ptr<ListenerShared>& shared() const noexcept { return shared_; }

  private:
    friend class IoThreads;
    Listener(std::shared_ptr<ListenerShared> shared, std::vector<UniqueFd> sockets);

    std::shared_ptr<ListenerShared> shared_;
    std::vector<UniqueFd> sockets_;
    std::string host_;
    std::uint16_t port_ = 0;
};

}  // namespace iotsky::net
