#include "certs/templates.hpp"

#include <algorithm>
#include <utility>

#include "certs/common_name.hpp"
#include "certs/name_fields.hpp"
#include "certs/public_key_ossl.hpp"

namespace iotsky::certs {
namespace {

constexpr std::size_t kSiteMax = 32;
constexpr std::size_t kSanUriMax = 256;
constexpr std::size_t kDnsNameMax = 253;

bool is_made_of(std::string_view text, std::string_view more) {
    return std::all_of(text.begin(), text.end(), [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               more.find(c) != std::string_view::npos;
    });
}

Error bad_request(std::string message, std::string why, std::string how) {
    return make_error(Errc::invalid_argument, "E5215", std::move(message), std::move(why),
                      std::move(how));
}

Error bad_name(const std::string& name) {
    return make_error(Errc::invalid_argument, "E5216",
                      "\"" + name + "\" cannot stand in the server certificate.",
                      "It is neither a host name nor an IPv4 or IPv6 address.",
                      "Mend names and addresses in the configuration, e.g. names = "
                      "[\"iotsky.local\"], addresses = [\"192.168.1.5\"].");
}

void add_once(std::vector<std::string>& list, const std::string& text) {
    if (std::find(list.begin(), list.end(), text) == list.end()) {
        list.push_back(text);
    }
}

Result<void> add_dns_names(const ServerNames& names, CertificateTemplate& out) {
    for (const std::string& name : names.dns) {
        if (name.empty() || name.size() > kDnsNameMax || !is_made_of(name, "-_.")) {
            return bad_name(name);
        }
        add_once(out.dns, name);
    }
    return {};
}

/// Each address as iPAddress and as dNSName: Mbed TLS before 3.5 and BearSSL read only the latter.
Result<void> add_addresses(const ServerNames& names, CertificateTemplate& out) {
    const std::size_t count = std::min(names.addresses.size(), kServerAddressesMax);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string bytes = address_bytes(names.addresses[i]);
        if (bytes.empty()) {
            return bad_name(names.addresses[i]);
        }
        add_once(out.dns, address_text(bytes));
        add_once(out.addresses, address_text(bytes));
    }
    return {};
}

std::string ca_words(CaRole role) {
    switch (role) {
        case CaRole::server:
            return "iotsky server CA ";
        case CaRole::server_next:
            return "iotsky next server CA ";
        case CaRole::device_root:
            return "iotsky device root ";
        case CaRole::device:
            break;
    }
    return "iotsky device CA ";
}

}  // namespace

std::string_view to_string(ServerUse use) noexcept {
    return use == ServerUse::mqtt ? "server" : "web";
}

Result<void> check_site(std::string_view site) {
    if (site.empty() || site.size() > kSiteMax || !is_made_of(site, "-_.")) {
        return bad_request("The name of the site cannot stand in a certificate.",
                           "It must be 1 to 32 of A-Z a-z 0-9 _ . -",
                           "Set site = \"my-school\" in the configuration.");
    }
    return {};
}

CertificateTemplate ca_template(CaRole role, const std::string& site, const PublicKey& key,
                                Random& random) {
    CertificateTemplate out;
    out.serial = new_serial(random);
    out.common_name = ca_words(role) + out.serial.hex().substr(0, 8);
    out.organization = site;
    // 1970 for all of them: a device or server whose clock is far behind can still check the chain,
    // and what a CA's own start date would forbid, nobody needs forbidden.
    out.not_before = start_of_1970();
    out.not_after = end_of_2049();
    out.ca = true;
    out.path_length = role == CaRole::device_root ? 1 : 0;
    out.key_usage = {"keyCertSign", "cRLSign"};
    out.key = key;
    return out;
}

Result<CertificateTemplate> server_template(ServerUse use, const ServerNames& names,
                                            const PublicKey& key, WallTime now, Random& random) {
    CertificateTemplate out;
    IOTSKY_CHECK(add_dns_names(names, out));
    IOTSKY_CHECK(add_addresses(names, out));
    if (out.dns.empty()) {
        return bad_name("");
    }
    out.common_name = fit_common_name(out.dns.front());
    out.serial = new_serial(random);
    const bool web = use == ServerUse::web;
    out.not_before = web ? now - kClockSlack : start_of_1970();
    // One second less than the limit: the first and the last second both count.
    out.not_after =
        web ? std::min(out.not_before + kWebLeafLife - std::chrono::seconds{1}, end_of_2049())
            : end_of_2049();
    out.key_usage = {"digitalSignature"};
    out.extended_key_usage = "serverAuth";
    out.key = key;
    return out;
}

Result<CertificateTemplate> device_template(const DeviceRequest& request, const PublicKey& key,
                                            WallTime now) {
    if (!is_valid_common_name(request.common_name)) {
        return bad_request("The common name of the device cannot stand in a certificate.",
                           "It must be 1 to 64 printable characters.", "Use the thing's name.");
    }
    const bool good_uri = request.san_uri.size() <= kSanUriMax &&
                          request.san_uri.starts_with("iotsky:") && request.san_uri.size() > 7 &&
                          is_made_of(request.san_uri, ":_.-");
    if (!request.san_uri.empty() && !good_uri) {
        return bad_request("The device's URI cannot stand in a certificate.",
                           "It must be iotsky:<site>:<class>:<project>:<thing>, up to 256 "
                           "characters.",
                           "Use names of A-Z a-z 0-9 _ - only.");
    }
    if (request.not_after <= now || request.not_after > end_of_2049()) {
        return bad_request("The certificate would end at " + format_utc(request.not_after) + ".",
                           "It must end after now and before 2050, as the CA itself does.",
                           "Choose another end, and check this machine's clock.");
    }
    if (request.serial.bytes[0] == 0) {
        return bad_request("The certificate has no serial number.",
                           "Serial numbers are drawn and recorded first.", "Draw one.");
    }
    const ossl::Pkey pkey = to_pkey(key);
    CertificateTemplate out;
    out.key = pkey ? describe(*pkey) : PublicKey{};
    static_cast<void>(ossl::take_errors());
    IOTSKY_CHECK(check_key(out.key));
    out.common_name = request.common_name;
    out.uri = request.san_uri;
    out.serial = request.serial;
    out.not_before = now - kClockSlack;
    out.not_after = request.not_after;
    out.key_usage = {"digitalSignature"};
    out.extended_key_usage = "clientAuth";
    return out;
}

}  // namespace iotsky::certs
