#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "apps/config/config.hpp"
#include "base/clock.hpp"
#include "base/random.hpp"
#include "broker/net/listener.hpp"
#include "broker/net/tls_context.hpp"
#include "certs/authority.hpp"
#include "certs/ticket_keys.hpp"

namespace iotsky::apps {

/// What an installation's server certificate has to carry: the configured names, and the configured
/// addresses or all that the machine has. Error: E5216.
[[nodiscard]] Result<certs::ServerNames> server_names(const ServerOptions& options);

/// Addresses that devices can use: those without loopback and link-local ones; all, when nothing
/// else is left. Pure.
[[nodiscard]] std::vector<std::string> usable_addresses(const std::vector<std::string>& addresses);

/// The TLS side of the MQTT listeners: server certificate, ticket keys, one slot per listener.
/// Confined to the control thread; the slots are read by the io threads.
class ServerTls {
  public:
    /// `directory`, `clock` and `random` outlive it. Errors: E5240 the ticket keys' file, those of
    /// TlsContext.
    [[nodiscard]] static Result<std::unique_ptr<ServerTls>> make(
        std::shared_ptr<const certs::Authority> authority, certs::ServerIdentity identity,
        broker::CertificateDirectory& directory, const ServerOptions& options,
        const std::filesystem::path& data_folder, const Clock& clock, Random& random);

    /// A slot for one mqtts listener. Errors: those of TlsContext.
    [[nodiscard]] Result<std::shared_ptr<net::TlsSlot>> slot_for(const Listener& listener);

    /// About once a minute: new ticket keys when due; a new certificate under the same key when the
    /// machine has an address that the old one lacks (W1105). New connections get it at once,
    /// nobody is dropped. What fails is logged and tried again.
    void upkeep(const ServerOptions& options);

    /// What the certificate in use carries.
    [[nodiscard]] const certs::ServerNames& names() const noexcept { return names_; }

  private:
    ServerTls(std::shared_ptr<const certs::Authority> authority, certs::ServerIdentity identity,
              broker::CertificateDirectory& directory, std::filesystem::path ca_folder,
              const Clock& clock, Random& random);

    [[nodiscard]] Result<std::shared_ptr<const net::TlsContext>> context_for(
        const net::TlsOptions& options) const;
    [[nodiscard]] Result<bool> renew_certificate(const ServerOptions& options);
    [[nodiscard]] Result<bool> rotate_tickets();
    [[nodiscard]] Result<void> replace_contexts();

    struct Slot {
        net::TlsOptions options;
        std::shared_ptr<net::TlsSlot> slot;
    };

    std::shared_ptr<const certs::Authority> authority_;
    certs::ServerIdentity identity_;
    certs::ServerNames names_;
    certs::TicketKeys tickets_;
    broker::CertificateDirectory& directory_;
    std::filesystem::path ca_folder_;
    const Clock& clock_;
    Random& random_;
    std::vector<Slot> slots_;
};

}  // namespace iotsky::apps
