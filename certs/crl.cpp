#include "certs/crl.hpp"

#include <openssl/pem.h>

#include <set>
#include <utility>

#include "certs/private_key_ossl.hpp"
#include "certs/x509_ossl.hpp"

namespace iotsky::certs {
namespace {

Error failed(std::string_view step) {
    Error error = make_error(Errc::internal, "E5218", "The revocation list could not be signed.",
                             "OpenSSL refused: " + std::string{step} + ".",
                             "See the log for OpenSSL's own words.");
    error.detail = ossl::take_errors();
    return error;
}

ossl::Integer integer(const BIGNUM* number) {
    return ossl::Integer{number == nullptr ? nullptr : BN_to_ASN1_INTEGER(number, nullptr)};
}

bool set_reason(X509_REVOKED& entry, RevocationReason reason) {
    if (reason == RevocationReason::unspecified) {
        return true;  // RFC 5280 5.3.1: absent rather than 0
    }
    const ossl::Enumerated value{ASN1_ENUMERATED_new()};
    return value && ASN1_ENUMERATED_set(value.get(), static_cast<long>(reason)) == 1 &&
           X509_REVOKED_add1_ext_i2d(&entry, NID_crl_reason, value.get(), 0, X509V3_ADD_DEFAULT) ==
               1;
}

bool add_entry(X509_CRL& crl, const RevokedCertificate& revoked) {
    ossl::Revoked entry{X509_REVOKED_new()};
    const ossl::BigNum number{BN_bin2bn(revoked.serial.bytes.data(),
                                        static_cast<int>(revoked.serial.bytes.size()), nullptr)};
    const ossl::Integer serial = integer(number.get());
    const ossl::Time when{ASN1_TIME_set(nullptr, to_unix_s(revoked.when))};
    if (!entry || !serial || !when ||
        X509_REVOKED_set_serialNumber(entry.get(), serial.get()) != 1 ||
        X509_REVOKED_set_revocationDate(entry.get(), when.get()) != 1 ||
        !set_reason(*entry, revoked.reason) || X509_CRL_add0_revoked(&crl, entry.get()) != 1) {
        return false;
    }
    static_cast<void>(entry.release());
    return true;
}

bool set_head(X509_CRL& crl, X509& issuer, WallTime now) {
    const ossl::Time this_update{ASN1_TIME_set(nullptr, to_unix_s(now))};
    const ossl::Time next_update{ASN1_TIME_set(nullptr, to_unix_s(now + kCrlLife))};
    return this_update && next_update && X509_CRL_set_version(&crl, X509_CRL_VERSION_2) == 1 &&
           X509_CRL_set_issuer_name(&crl, X509_get_subject_name(&issuer)) == 1 &&
           X509_CRL_set1_lastUpdate(&crl, this_update.get()) == 1 &&
           X509_CRL_set1_nextUpdate(&crl, next_update.get()) == 1;
}

bool set_extensions(X509_CRL& crl, X509& issuer, WallTime now) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, &issuer, nullptr, nullptr, &crl, 0);
    const ossl::Extension key_id{
        X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always")};
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    const ossl::Integer number{ASN1_INTEGER_new()};
    return key_id && X509_CRL_add_ext(&crl, key_id.get(), -1) == 1 && number &&
           ASN1_INTEGER_set_int64(number.get(), milliseconds) == 1 &&
           X509_CRL_add1_ext_i2d(&crl, NID_crl_number, number.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

}  // namespace

Result<Crl> make_crl(std::span<const RevokedCertificate> revoked, const Certificate& issuer,
                     const PrivateKey& key, WallTime now) {
    const ossl::CrlPtr crl{X509_CRL_new()};
    const ossl::Cert above = to_x509(issuer);
    if (!crl || !set_head(*crl, *above, now) || !set_extensions(*crl, *above, now)) {
        return failed("head or extensions");
    }
    std::set<Serial> seen;
    for (const RevokedCertificate& entry : revoked) {
        if (seen.insert(entry.serial).second && !add_entry(*crl, entry)) {
            return failed("serial " + entry.serial.hex());
        }
    }
    if (X509_CRL_sort(crl.get()) != 1 ||
        X509_CRL_sign(crl.get(), key.impl().pkey.get(), EVP_sha256()) <= 0) {
        return failed("signature");
    }
    const ossl::Bio bio = ossl::writer();
    PEM_write_bio_X509_CRL(bio.get(), crl.get());
    return Crl{ossl::to_der(crl.get(), i2d_X509_CRL), ossl::text_of(*bio)};
}

}  // namespace iotsky::certs
