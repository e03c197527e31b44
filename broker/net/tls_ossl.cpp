#include "broker/net/tls_ossl.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <vector>

namespace iotsky::net::ossl {
namespace {

using NamesPtr = Ptr<GENERAL_NAMES, GENERAL_NAMES_free>;
constexpr std::size_t kNamesMax = 6;

std::string text_of(const ASN1_STRING& text) {
    return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(&text)),
            static_cast<std::size_t>(ASN1_STRING_length(&text))};
}

std::string address_of(const ASN1_OCTET_STRING& bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = ASN1_STRING_length(&bytes) == 4 ? AF_INET : AF_INET6;
    const char* const done =
        inet_ntop(family, ASN1_STRING_get0_data(&bytes), text.data(), text.size());
    return done == nullptr ? std::string{} : std::string{text.data()};
}

std::string text_of(const GENERAL_NAME& name) {
    if (name.type == GEN_DNS) {
        return text_of(*name.d.dNSName);
    }
    if (name.type == GEN_IPADD) {
        return address_of(*name.d.iPAddress);
    }
    return {};
}

}  // namespace

std::string take_errors() {
    std::string out;
    while (const unsigned long code = ERR_get_error()) {
        std::array<char, 256> text{};
        ERR_error_string_n(code, text.data(), text.size());
        out += out.empty() ? "" : "; ";
        out += text.data();
    }
    return out;
}

std::string to_der(X509& certificate) {
    const int length = i2d_X509(&certificate, nullptr);
    if (length <= 0) {
        return {};
    }
    std::string der(static_cast<std::size_t>(length), '\0');
    auto* out = reinterpret_cast<unsigned char*>(der.data());
    i2d_X509(&certificate, &out);
    return der;
}

std::string common_name(const X509& certificate) {
    const X509_NAME* const subject = X509_get_subject_name(&certificate);
    const int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0) {
        return {};
    }
    const ASN1_STRING* const value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
    unsigned char* utf8 = nullptr;
    const int length = ASN1_STRING_to_UTF8(&utf8, value);
    if (length < 0) {
        return {};
    }
    std::string out(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(length));
    OPENSSL_free(utf8);
    return out;
}

std::string names_for_people(X509& certificate) {
    const NamesPtr names{static_cast<GENERAL_NAMES*>(
        X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
    std::vector<std::string> seen;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
        std::string text = text_of(*sk_GENERAL_NAME_value(names.get(), i));
        // Each address of ours stands in it twice, as iPAddress and as dNSName.
        if (!text.empty() && std::ranges::find(seen, text) == seen.end()) {
            seen.push_back(std::move(text));
        }
    }
    std::string out;
    for (std::size_t i = 0; i < std::min(seen.size(), kNamesMax); ++i) {
        out += (i == 0 ? "" : ", ") + seen[i];
    }
    return seen.size() > kNamesMax ? out + " and others" : out;
}

}  // namespace iotsky::net::ossl
