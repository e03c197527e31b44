#include "certs/sign.hpp"

#include <openssl/objects.h>

#include <utility>

#include "certs/name_fields.hpp"
#include "certs/private_key_ossl.hpp"
#include "certs/public_key_ossl.hpp"
#include "certs/x509_ossl.hpp"

namespace iotsky::certs {
namespace {

Error failed(std::string_view step) {
    Error error = make_error(Errc::internal, "E5218", "The certificate could not be signed.",
                             "OpenSSL refused: " + std::string{step} + ".",
                             "See the log for OpenSSL's own words.");
    error.detail = ossl::take_errors();
    return error;
}

bool add_text(X509_NAME& name, int nid, const std::string& text) {
    return X509_NAME_add_entry_by_NID(&name, nid, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
}

bool set_subject(X509& cert, const CertificateTemplate& asked) {
    const ossl::Name name{X509_NAME_new()};
    return name &&
           (asked.organization.empty() ||
            add_text(*name, NID_organizationName, asked.organization)) &&
           add_text(*name, NID_commonName, asked.common_name) &&
           X509_set_subject_name(&cert, name.get()) == 1;
}

bool set_serial(X509& cert, const Serial& serial) {
    const ossl::BigNum number{
        BN_bin2bn(serial.bytes.data(), static_cast<int>(serial.bytes.size()), nullptr)};
    return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&cert)) != nullptr;
}

bool set_dates(X509& cert, const CertificateTemplate& asked) {
    return ASN1_TIME_set(X509_getm_notBefore(&cert), to_unix_s(asked.not_before)) != nullptr &&
           ASN1_TIME_set(X509_getm_notAfter(&cert), to_unix_s(asked.not_after)) != nullptr;
}

/// `value` in OpenSSL's configuration syntax: only ever words of ours, never text of a stranger.
bool add_extension(X509& cert, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, &cert, nullptr, nullptr, 0);
    const ossl::Extension extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
    return extension && X509_add_ext(&cert, extension.get(), -1) == 1;
}

ossl::GeneralName general_name(int type, std::string_view bytes) {
    ossl::GeneralName name{GENERAL_NAME_new()};
    ASN1_STRING* value = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
    if (!name || value == nullptr ||
        ASN1_STRING_set(value, bytes.data(), static_cast<int>(bytes.size())) != 1) {
        ASN1_STRING_free(value);
        return nullptr;
    }
    GENERAL_NAME_set0_value(name.get(), type, value);
    return name;
}

/// Built as values, so that no name can be read as configuration syntax.
bool add_alternative_names(X509& cert, const CertificateTemplate& asked) {
    const ossl::GeneralNames names{GENERAL_NAMES_new()};
    const auto add = [&](int type, std::string_view bytes) {
        ossl::GeneralName name = general_name(type, bytes);
        if (!names || !name || sk_GENERAL_NAME_push(names.get(), name.get()) <= 0) {
            return false;
        }
        static_cast<void>(name.release());
        return true;
    };
    bool good = true;
    for (const std::string& dns : asked.dns) {
        good = good && add(GEN_DNS, dns);
    }
    for (const std::string& address : asked.addresses) {
        good = good && add(GEN_IPADD, address_bytes(address));
    }
    if (!asked.uri.empty()) {
        good = good && add(GEN_URI, asked.uri);
    }
    if (!good || sk_GENERAL_NAME_num(names.get()) == 0) {
        return good;
    }
    return X509_add1_ext_i2d(&cert, NID_subject_alt_name, names.get(), 0, X509V3_ADD_APPEND) == 1;
}

std::string constraints_text(const CertificateTemplate& asked) {
    std::string text = asked.ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
    if (asked.path_length) {
        text += ",pathlen:" + std::to_string(*asked.path_length);
    }
    return text;
}

bool add_extensions(X509& cert, X509* issuer, const CertificateTemplate& asked) {
    std::string usage = "critical";
    for (const std::string& bit : asked.key_usage) {
        usage += "," + bit;
    }
    return add_extension(cert, issuer, NID_basic_constraints, constraints_text(asked)) &&
           add_extension(cert, issuer, NID_key_usage, usage) &&
           (asked.extended_key_usage.empty() ||
            add_extension(cert, issuer, NID_ext_key_usage, asked.extended_key_usage)) &&
           add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(cert, issuer, NID_authority_key_identifier, "keyid:always") &&
           add_alternative_names(cert, asked);
}

}  // namespace

Result<Certificate> sign(const CertificateTemplate& asked, const Certificate* issuer,
                         const PrivateKey& issuer_key) {
    const ossl::Cert cert{X509_new()};
    const ossl::Pkey key = to_pkey(asked.key);
    const ossl::Cert issuer_x509 = issuer == nullptr ? nullptr : to_x509(*issuer);
    X509* const issuer_cert = issuer == nullptr ? cert.get() : issuer_x509.get();
    if (!cert || !key || X509_set_version(cert.get(), X509_VERSION_3) != 1 ||
        !set_serial(*cert, asked.serial) || X509_set_pubkey(cert.get(), key.get()) != 1) {
        return failed("serial or public key");
    }
    if (!set_subject(*cert, asked) ||
        X509_set_issuer_name(cert.get(), X509_get_subject_name(issuer_cert)) != 1 ||
        !set_dates(*cert, asked)) {
        return failed("names or dates");
    }
    if (!add_extensions(*cert, issuer_cert, asked)) {
        return failed("extensions");
    }
    if (X509_sign(cert.get(), issuer_key.impl().pkey.get(), EVP_sha256()) <= 0) {
        return failed("signature");
    }
    const auto der = ossl::to_der(cert.get(), i2d_X509);
    return Certificate::parse({reinterpret_cast<const char*>(der.data()), der.size()});
}

}  // namespace iotsky::certs
