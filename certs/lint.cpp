#include "certs/lint.hpp"

#include <utility>

#include "certs/x509_ossl.hpp"

namespace iotsky::certs {
namespace {

Error refused(std::string why) {
    Error error =
        make_error(Errc::internal, "E5214", "A certificate failed its own check.", std::move(why),
                   "It was not handed out. Please report this with the log of this minute.");
    error.detail = ossl::take_errors();
    return error;
}

NameFields asked_subject(const CertificateTemplate& asked) {
    NameFields fields{{"CommonName", asked.common_name}};
    if (!asked.organization.empty()) {
        fields.emplace("Organization", asked.organization);
    }
    return fields;
}

NameFields asked_alternative_names(const CertificateTemplate& asked) {
    NameFields fields;
    for (const std::string& dns : asked.dns) {
        fields.emplace("DNSName", dns);
    }
    for (const std::string& address : asked.addresses) {
        fields.emplace("IPAddress", address);
    }
    if (!asked.uri.empty()) {
        fields.emplace("UniformResourceIdentifier", asked.uri);
    }
    return fields;
}

std::vector<std::string> asked_extensions(const CertificateTemplate& asked) {
    std::vector<std::string> list{"critical,basicConstraints", "critical,keyUsage"};
    if (!asked.extended_key_usage.empty()) {
        list.emplace_back("extendedKeyUsage");
    }
    list.insert(list.end(), {"subjectKeyIdentifier", "authorityKeyIdentifier"});
    if (!asked_alternative_names(asked).empty()) {
        list.emplace_back("subjectAltName");
    }
    return list;
}

std::vector<std::string> asked_extended_usage(const CertificateTemplate& asked) {
    return asked.extended_key_usage.empty() ? std::vector<std::string>{}
                                            : std::vector{asked.extended_key_usage};
}

}  // namespace

Result<void> lint(const Certificate& made, const CertificateTemplate& asked,
                  const Certificate* issuer) {
    const Certificate& above = issuer == nullptr ? made : *issuer;
    const std::pair<std::string_view, bool> checks[] = {
        {"serial", made.serial_hex() == asked.serial.hex()},
        {"subject", made.subject() == asked_subject(asked)},
        {"issuer", made.issuer() == above.subject()},
        {"notBefore", made.not_before() == from_unix_s(to_unix_s(asked.not_before))},
        {"notAfter", made.not_after() == from_unix_s(to_unix_s(asked.not_after))},
        {"public key", made.public_key() == asked.key},
        {"basicConstraints", made.is_ca() == asked.ca && made.path_length() == asked.path_length},
        {"keyUsage", made.key_usage() == asked.key_usage},
        {"extendedKeyUsage", made.extended_key_usage() == asked_extended_usage(asked)},
        {"subjectAltName", made.alternative_names() == asked_alternative_names(asked)},
        {"issuerAltName", made.issuer_alternative_names().empty()},
        {"subjectKeyIdentifier", !made.subject_key_id().empty()},
        {"authorityKeyIdentifier", made.authority_key_id() == above.subject_key_id()},
        {"list of extensions", made.extensions() == asked_extensions(asked)},
        {"signature", is_signed_by(made, above)},
    };
    for (const auto& [field, good] : checks) {
        if (!good) {
            return refused("Its " + std::string{field} + " is not what was asked for.");
        }
    }
    return {};
}

Result<void> verify_chain(const Certificate& leaf, std::span<const Certificate> intermediates,
                          const Certificate& root, ChainUse use, WallTime at) {
    const ossl::Store store{X509_STORE_new()};
    const ossl::StoreCtx context{X509_STORE_CTX_new()};
    const ossl::CertStack untrusted{sk_X509_new_null()};
    const ossl::Cert leaf_x509 = to_x509(leaf);
    const ossl::Cert root_x509 = to_x509(root);
    std::vector<ossl::Cert> between;
    for (const Certificate& certificate : intermediates) {
        between.push_back(to_x509(certificate));
        sk_X509_push(untrusted.get(), between.back().get());
    }
    if (!store || !context || X509_STORE_add_cert(store.get(), root_x509.get()) != 1 ||
        X509_STORE_CTX_init(context.get(), store.get(), leaf_x509.get(), untrusted.get()) != 1) {
        return refused("OpenSSL could not set up the check of the chain.");
    }
    X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_time(param, to_unix_s(at));
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
    X509_VERIFY_PARAM_set_purpose(
        param, use == ChainUse::tls_client ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER);
    if (X509_verify_cert(context.get()) != 1) {
        return refused(std::string{"Its chain does not hold: "} +
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())) +
                       ".");
    }
    return {};
}

bool is_signed_by(const Certificate& certificate, const Certificate& issuer) {
    const ossl::Cert cert = to_x509(certificate);
    const ossl::Cert above = to_x509(issuer);
    const bool good =
        X509_NAME_cmp(X509_get_issuer_name(cert.get()), X509_get_subject_name(above.get())) == 0 &&
        X509_verify(cert.get(), X509_get0_pubkey(above.get())) == 1;
    static_cast<void>(ossl::take_errors());
    return good;
}

}  // namespace iotsky::certs
