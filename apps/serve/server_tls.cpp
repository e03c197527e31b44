#include "apps/serve/server_tls.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "certs/local_addresses.hpp"

namespace iotsky::apps {
namespace {

net::ClientCertificate to_net(ClientCertificate value) {
    switch (value) {
        case ClientCertificate::required:
            return net::ClientCertificate::required;
        case ClientCertificate::optional:
            return net::ClientCertificate::optional;
        case ClientCertificate::none:
            break;
    }
    return net::ClientCertificate::none;
}

net::TicketKeySet to_net(const certs::TicketKeys& keys) {
    net::TicketKeySet set;
    set.current = keys.current.bytes;
    if (keys.previous) {
        set.previous = keys.previous->bytes;
    }
    return set;
}

bool is_local(const std::string& address) {
    return address.starts_with("127.") || address == "::1" || address.starts_with("fe80:");
}

constexpr std::chrono::hours kTellAgain{24};

}  // namespace

Result<certs::ServerNames> server_names(const ServerOptions& options) {
    certs::ServerNames names{options.names, options.addresses};
    if (names.addresses.empty()) {
        IOTSKY_TRY(found, certs::local_addresses());
        names.addresses = certs::address_texts(found);
    }
    return names;
}

std::vector<std::string> usable_addresses(const std::vector<std::string>& addresses) {
    std::vector<std::string> usable;
    std::copy_if(addresses.begin(), addresses.end(), std::back_inserter(usable),
                 [](const std::string& address) { return !is_local(address); });
    return usable.empty() ? addresses : usable;
}

ServerTls::ServerTls(std::shared_ptr<const certs::Authority> authority,
                     certs::ServerCertificates servers, broker::CertificateDirectory& directory,
                     std::filesystem::path ca_folder, const Clock& clock, Random& random)
    : authority_(std::move(authority)),
      servers_(std::move(servers)),
      directory_(directory),
      ca_folder_(std::move(ca_folder)),
      clock_(clock),
      random_(random) {}

Result<std::unique_ptr<ServerTls>> ServerTls::make(
    std::shared_ptr<const certs::Authority> authority, certs::ServerCertificates servers,
    broker::CertificateDirectory& directory, certs::ServerNames names,
    const std::filesystem::path& data_folder, const Clock& clock, Random& random) {
    IOTSKY_TRY(tickets, certs::load_ticket_keys(data_folder / "ca", clock.wall_now(), random));
    std::unique_ptr<ServerTls> tls{new ServerTls{std::move(authority), std::move(servers),
                                                 directory, data_folder / "ca", clock, random}};
    tls->tickets_ = std::move(tickets);
    tls->names_ = std::move(names);
    return tls;
}

Result<std::shared_ptr<const net::TlsContext>> ServerTls::context_for(const Slot& slot) const {
    const certs::ServerIdentity& identity = slot.web ? servers_.web : servers_.mqtt;
    const std::string chain = identity.chain_pem();
    net::TlsMaterial material;
    material.chain_pem = chain;
    material.key_pem = identity.key_pem.view();
    material.client_roots_pem = authority_->device_trust().roots_pem;
    material.client_intermediates_pem = authority_->device_trust().intermediates_pem;
    material.tickets = to_net(tickets_);
    return net::TlsContext::make(slot.options, material, &directory_);
}

Result<std::shared_ptr<net::TlsSlot>> ServerTls::slot_for(const Listener& listener) {
    Slot slot;
    slot.web = has_websocket(listener.protocol);
    slot.options.client_certificate = to_net(listener.client_certificate);
    slot.options.strict_revocation = listener.strict_revocation;
    slot.options.ticket_lifetime = listener.ticket_lifetime;
    slot.options.http = slot.web;
    IOTSKY_TRY(context, context_for(slot));
    slot.slot = std::make_shared<net::TlsSlot>(std::move(context));
    slots_.push_back(slot);
    return slot.slot;
}

Result<std::vector<Error>> ServerTls::renew_certificates(certs::ServerNames names) {
    const certs::Certificate web = servers_.web.certificate;
    IOTSKY_TRY(warnings, authority_->refresh(servers_, names, clock_.wall_now(), random_));
    names_ = std::move(names);
    if (servers_.web.certificate != web) {
        log::info("", "web certificate renewed",
                  {{"until", format_utc(servers_.web.certificate.not_after())}});
    }
    return warnings;
}

Result<bool> ServerTls::rotate_tickets() {
    const WallTime now = clock_.wall_now();
    if (!tickets_.due(now)) {
        return false;
    }
    certs::TicketKeys fresh = tickets_.rotated(now, random_);
    IOTSKY_CHECK(certs::save_ticket_keys(ca_folder_, fresh));
    tickets_ = std::move(fresh);
    return true;
}

Result<void> ServerTls::replace_contexts() {
    for (const Slot& slot : slots_) {
        IOTSKY_TRY(context, context_for(slot));
        slot.slot->set(std::move(context));
    }
    return {};
}

void ServerTls::tell_once(const Error& error) {
    const WallTime now = clock_.wall_now();
    std::erase_if(told_, [now](const auto& entry) { return now - entry.second >= kTellAgain; });
    if (told_.emplace(error.number + " " + error.message, now).second) {
        log::error(error.number, error.message, {{"reason", error.why}, {"hint", error.how}});
    }
}

std::vector<Error> ServerTls::upkeep(certs::ServerNames names) {
    const certs::Certificate mqtt = servers_.mqtt.certificate;
    const certs::Certificate web = servers_.web.certificate;
    std::vector<Error> news;
    auto renewed = renew_certificates(std::move(names));
    for (Error& error : renewed ? *renewed : std::vector<Error>{renewed.error()}) {
        if (error.number == "W1105") {
            log::warn(error.number, error.message, {{"reason", error.why}, {"hint", error.how}});
            news.push_back(std::move(error));
        } else {
            tell_once(error);
        }
    }
    const auto rotated = rotate_tickets();
    if (!rotated) {
        tell_once(rotated.error());
    }
    if (servers_.mqtt.certificate != mqtt || servers_.web.certificate != web ||
        (rotated && *rotated)) {
        if (auto replaced = replace_contexts(); !replaced) {
            tell_once(replaced.error());
        }
    }
    return news;
}

}  // namespace iotsky::apps
