#include "certs/trust.hpp"

#include <algorithm>

#include "certs/name_fields.hpp"

namespace iotsky::certs {
namespace {

bool has(const NameFields& fields, std::string_view kind, const std::string& value) {
    const auto [first, last] = fields.equal_range(kind);
    return std::any_of(first, last, [&](const auto& field) { return field.second == value; });
}

}  // namespace

bool ServerIdentity::covers(std::span<const std::string> addresses) const {
    const NameFields& names = certificate.alternative_names();
    const auto first = addresses.first(std::min(addresses.size(), kServerAddressesMax));
    return std::all_of(first.begin(), first.end(), [&](const std::string& text) {
        const std::string address = address_text(address_bytes(text));
        return has(names, "IPAddress", address) && has(names, "DNSName", address);
    });
}

bool ServerIdentity::covers(const ServerNames& names) const {
    return covers(std::span{names.addresses}) &&
           std::all_of(names.dns.begin(), names.dns.end(), [&](const std::string& name) {
               return has(certificate.alternative_names(), "DNSName", name);
           });
}

bool ServerIdentity::due(WallTime now) const noexcept {
    const auto life = certificate.not_after() - certificate.not_before();
    return now > certificate.not_after() - life / 3;
}

}  // namespace iotsky::certs
