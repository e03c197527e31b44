#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

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

/// The TLS side of the listeners: server certificates, ticket keys, one slot per listener.
/// Confined to the control thread; the slots are read by the io threads.
class ServerTls {
  public:
    /// `directory`, `clock` and `random` outlive it. Errors: E5240 the ticket keys' file, those of
    /// TlsContext.
    [[nodiscard]] static Result<std::unique_ptr<ServerTls>> make(
        std::shared_ptr<const certs::Authority> authority, certs::ServerCertificates servers,
        broker::CertificateDirectory& directory, certs::ServerNames names,
        const std::filesystem::path& data_folder, const Clock& clock, Random& random);

    /// A slot for one listener with TLS: mqtts has the certificate of devices, https and wss the
    /// one that browsers take. Errors: those of TlsContext.
    [[nodiscard]] Result<std::shared_ptr<net::TlsSlot>> slot_for(const Listener& listener);

    /// About once a minute, with what the certificates have to carry now: new ticket keys when
    /// due, and new certificates under the same keys when the machine has an address that the old
    /// ones lack (W1105) or when the web certificate comes to its end. New connections get them at
    /// once, nobody is dropped. What fails is logged once a day and tried again.
    /// @return Warnings to show besides: W1105.
    std::vector<Error> upkeep(certs::ServerNames names);

    /// What the certificates in use carry.
    [[nodiscard]] const certs::ServerNames& names() const noexcept { return names_; }
    [[nodiscard]] const certs::Certificate& mqtt_certificate() const noexcept {
        return servers_.mqtt.certificate;
    }
    [[nodiscard]] const certs::Certificate& web_certificate() const noexcept {
        return servers_.web.certificate;
    }

  private:
    ServerTls(std::shared_ptr<const certs::Authority> authority, certs::ServerCertificates servers,
              broker::CertificateDirectory& directory, std::filesystem::path ca_folder,
              const Clock& clock, Random& random);

    struct Slot {
        net::TlsOptions options;
        bool web = false;
        std::shared_ptr<net::TlsSlot> slot{};
    };
    [[nodiscard]] Result<std::shared_ptr<const net::TlsContext>> context_for(
        const Slot& slot) const;
    [[nodiscard]] Result<std::vector<Error>> renew_certificates(certs::ServerNames names);
    /// Whether the keys are new.
    [[nodiscard]] Result<bool> rotate_tickets();
    [[nodiscard]] Result<void> replace_contexts();
    /// Logs it unless it was logged within a day.
    void tell_once(const Error& error);

    std::shared_ptr<const certs::Authority> authority_;
    certs::ServerCertificates servers_;
    certs::ServerNames names_;
    certs::TicketKeys tickets_;
    broker::CertificateDirectory& directory_;
    std::filesystem::path ca_folder_;
    const Clock& clock_;
    Random& random_;
    std::vector<Slot> slots_;
    std::map<std::string, WallTime> told_;  ///< faults by what they say
};

}  // namespace iotsky::apps
