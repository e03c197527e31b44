#include "tests/unit/certs/csr_maker.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <stdexcept>

#include "certs/ossl_ptr.hpp"

namespace iotsky::certs::test {
namespace {

ossl::Pkey rsa_key(unsigned bits, unsigned exponent) {
    const ossl::PkeyCtx context{EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr)};
    const ossl::BigNum e{BN_new()};
    BN_set_word(e.get(), exponent);
    EVP_PKEY* key = nullptr;
    EVP_PKEY_keygen_init(context.get());
    EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits));
    if (bits > 4096) {
        EVP_PKEY_CTX_set_rsa_keygen_primes(context.get(), 4);  // seconds less than with two
    }
    EVP_PKEY_CTX_set1_rsa_keygen_pubexp(context.get(), e.get());
    EVP_PKEY_keygen(context.get(), &key);
    return ossl::Pkey{key};
}

ossl::Pkey make_key(const CsrWish& wish) {
    if (wish.key == "RSA" || wish.key == "RSA3") {
        return rsa_key(wish.rsa_bits, wish.key == "RSA" ? 65537 : 3);
    }
    if (wish.key == "ED25519") {
        return ossl::Pkey{EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")};
    }
    ossl::Pkey key{EVP_EC_gen(wish.key.substr(0, 5).c_str())};
    if (wish.key == "P-256 explicit") {
        EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_ENCODING, "explicit");
    } else if (wish.key == "P-256 compressed") {
        EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                       "compressed");
    }
    return key;
}

/// Sets the name by hand: the library's own setter would refuse what some tests want to send.
void add_common_name(X509_NAME& name, const std::string& text) {
    X509_NAME_ENTRY* entry = X509_NAME_ENTRY_create_by_NID(
        nullptr, NID_commonName, V_ASN1_UTF8STRING, reinterpret_cast<const unsigned char*>("x"), 1);
    ASN1_STRING_set(X509_NAME_ENTRY_get_data(entry), text.data(), static_cast<int>(text.size()));
    X509_NAME_add_entry(&name, entry, -1, 0);
    X509_NAME_ENTRY_free(entry);
}

}  // namespace

std::string make_csr(const CsrWish& wish) {
    const ossl::Pkey key = make_key(wish);
    const ossl::Pkey other{EVP_EC_gen("P-256")};
    const ossl::Request request{X509_REQ_new()};
    const ossl::Name name{X509_NAME_new()};
    for (int i = 0; i < wish.common_names; ++i) {
        add_common_name(*name, wish.common_name);
    }
    X509_REQ_set_subject_name(request.get(), name.get());
    X509_REQ_set_pubkey(request.get(), key.get());
    const EVP_MD* digest = wish.key == "ED25519" ? nullptr : EVP_sha256();
    if (X509_REQ_sign(request.get(), wish.wrong_signature ? other.get() : key.get(), digest) <= 0) {
        throw std::runtime_error("request not signed: " + ossl::take_errors());
    }
    if (!wish.pem) {
        const auto der = ossl::to_der(request.get(), i2d_X509_REQ);
        return {der.begin(), der.end()};
    }
    const ossl::Bio bio = ossl::writer();
    PEM_write_bio_X509_REQ(bio.get(), request.get());
    return ossl::text_of(*bio);
}

}  // namespace iotsky::certs::test
