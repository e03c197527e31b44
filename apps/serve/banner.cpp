#include "apps/serve/banner.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace iotsky::apps {
namespace {

std::string padded(std::string_view text, std::size_t width) {
    return std::string{text} + std::string(width - std::min(width, text.size()), ' ');
}

std::string listener_lines(const std::vector<OpenListener>& listeners) {
    std::size_t name = 0;
    std::size_t address = 0;
    for (const OpenListener& listener : listeners) {
        name = std::max(name, listener.name.size());
        address = std::max(address, listener.address().size());
    }
    std::string out;
    for (const OpenListener& listener : listeners) {
        out += "  " + padded(listener.name, name + 2) + padded(listener.protocol, 7) +
               padded(listener.address(), address + 2) + listener.security + "\n";
    }
    return out;
}

std::string tls_words(const Listener& listener) {
    switch (listener.client_certificate) {
        case ClientCertificate::required:
            return "TLS, client certificate required";
        case ClientCertificate::optional:
            return "TLS, client certificate optional";
        case ClientCertificate::none:
            break;
    }
    return "TLS, no client certificate";
}

}  // namespace

std::string security_words(const Listener& listener) {
    if (listener.protocol == Protocol::unix_socket) {
        return "this machine: root, this account, group iotsky";
    }
    if (listener.protocol == Protocol::http) {
        return "this machine, with a token";
    }
    if (listener.protocol == Protocol::mqtt) {
        return std::string{"NO encryption, "} + (listener.anonymous_policy_file.empty()
                                                     ? "refuses everybody"
                                                     : "anonymous clients by their policy");
    }
    const std::string words = has_tls(listener.protocol) ? tls_words(listener) : "NO encryption";
    const std::string api = listener.protocol == Protocol::https ? "; the API with a token" : "";
    if (has_tls(listener.protocol) && listener.client_certificate == ClientCertificate::required) {
        return words + api;
    }
    const std::string token =
        !takes_tokens(listener) ? ""
        : has_tls(listener.protocol) && listener.client_certificate == ClientCertificate::optional
            ? " or a token"
            : ", a token";
    const std::string others = listener.anonymous_policy_file.empty()
                                   ? "others are refused"
                                   : "others by the policy for anonymous clients";
    return words + token + "; " + others + api;
}

std::string banner(const BannerFacts& facts) {
    std::string out = "iotsky " + facts.version + "  data in " + facts.data_folder + "\n";
    if (facts.first_start) {
        out +=
            "The folder was empty: set up with defaults (server CA, next server CA, device CA, "
            "registry).\n";
    }
    out += listener_lines(facts.listeners);
    out += "Devices reach it as  " + facts.host + "  or  " + join(facts.addresses, ", ") + "\n";
    out += "CA fingerprint  " + facts.ca_words + "  SHA-256 " + facts.ca_fingerprint + "\n";
    out += "Acknowledged means  " + facts.durability + "\n";
    if (!facts.token_file.empty()) {
        out += "First admin token in  " + facts.token_file + "\n";
    }
    for (const Error& warning : facts.warnings) {
        out += "WARNING  " + warning.number + " " + warning.message + " " + warning.how + "\n";
    }
    return out;
}

}  // namespace iotsky::apps
