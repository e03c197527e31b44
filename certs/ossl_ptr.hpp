#pragma once

// Internal: included by .cpp files of certs/ only, so that no OpenSSL type reaches a reader of
// ours.

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/c_handle.hpp"
#include "base/secret.hpp"

namespace iotsky::certs::ossl {

template <typename T, auto Free>
using Ptr = CHandle<T, Free>;

using Bio = Ptr<BIO, BIO_free>;
using Pkey = Ptr<EVP_PKEY, EVP_PKEY_free>;
using PkeyCtx = Ptr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using Pkcs8 = Ptr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using Pkcs8Encrypted = Ptr<X509_SIG, X509_SIG_free>;
using Algorithm = Ptr<X509_ALGOR, X509_ALGOR_free>;
using Cert = Ptr<X509, X509_free>;
using Request = Ptr<X509_REQ, X509_REQ_free>;
using CrlPtr = Ptr<X509_CRL, X509_CRL_free>;
using Revoked = Ptr<X509_REVOKED, X509_REVOKED_free>;
using Name = Ptr<X509_NAME, X509_NAME_free>;
using Extension = Ptr<X509_EXTENSION, X509_EXTENSION_free>;
using Store = Ptr<X509_STORE, X509_STORE_free>;
using StoreCtx = Ptr<X509_STORE_CTX, X509_STORE_CTX_free>;
using BigNum = Ptr<BIGNUM, BN_free>;
using Integer = Ptr<ASN1_INTEGER, ASN1_INTEGER_free>;
using Enumerated = Ptr<ASN1_ENUMERATED, ASN1_ENUMERATED_free>;
using Time = Ptr<ASN1_TIME, ASN1_TIME_free>;
using OctetString = Ptr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;
using BitString = Ptr<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using GeneralNames = Ptr<GENERAL_NAMES, GENERAL_NAMES_free>;
using GeneralName = Ptr<GENERAL_NAME, GENERAL_NAME_free>;
using BasicConstraints = Ptr<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using AuthorityKeyId = Ptr<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using ExtendedKeyUsage = Ptr<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;

inline void free_cert_stack(STACK_OF(X509) * stack) noexcept {
    sk_X509_free(stack);
}
/// A stack that does not own its certificates.
using CertStack = Ptr<STACK_OF(X509), free_cert_stack>;

/// Text of this thread's OpenSSL error queue, oldest first, which is emptied; for Error::detail.
[[nodiscard]] std::string take_errors();

/// A BIO that reads `text`, which must outlive it.
[[nodiscard]] Bio reader(std::string_view text);
/// A BIO in memory; OpenSSL wipes its buffer when it is freed.
[[nodiscard]] Bio writer();
[[nodiscard]] SecretString secret_of(BIO& bio);
[[nodiscard]] std::string text_of(BIO& bio);

/// DER of anything with an i2d function.
template <typename T, typename I2d>
[[nodiscard]] std::vector<unsigned char> to_der(T* object, I2d i2d) {
    const int length = i2d(object, nullptr);
    if (length <= 0) {
        return {};
    }
    std::vector<unsigned char> der(static_cast<std::size_t>(length));
    unsigned char* out = der.data();
    i2d(object, &out);
    return der;
}

}  // namespace iotsky::certs::ossl
