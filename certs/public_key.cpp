#include "certs/public_key.hpp"

#include <openssl/core_names.h>

#include "certs/public_key_ossl.hpp"

namespace iotsky::certs {
namespace {

// A SubjectPublicKeyInfo with a named curve and an uncompressed point has exactly this size. Other
// forms (explicit parameters, compressed points) are legal, but small TLS stacks cannot read them.
constexpr std::size_t kP256SpkiBytes = 91;
constexpr std::size_t kP384SpkiBytes = 120;

KeyAlgorithm ec_algorithm(const EVP_PKEY& key, std::size_t spki_bytes) {
    char group[64] = {};
    std::size_t length = 0;
    if (EVP_PKEY_get_group_name(&key, group, sizeof group, &length) != 1) {
        return KeyAlgorithm::other;
    }
    const std::string_view name{group, length};
    if (name == "prime256v1" && spki_bytes == kP256SpkiBytes) {
        return KeyAlgorithm::p256;
    }
    if (name == "secp384r1" && spki_bytes == kP384SpkiBytes) {
        return KeyAlgorithm::p384;
    }
    return KeyAlgorithm::other;
}

/// Public exponents: odd, 65537 to 2^32. Smaller ones are weak with bad padding, longer ones make
/// each verification as slow as a signature.
bool has_usual_exponent(const EVP_PKEY& key) {
    BIGNUM* e = nullptr;
    if (EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_RSA_E, &e) != 1) {
        return false;
    }
    const ossl::BigNum exponent{e};
    return BN_is_odd(e) == 1 && BN_num_bits(e) >= 17 && BN_num_bits(e) <= 32;
}

}  // namespace

std::string_view to_string(KeyAlgorithm algorithm) noexcept {
    switch (algorithm) {
        case KeyAlgorithm::p256:
            return "P-256";
        case KeyAlgorithm::p384:
            return "P-384";
        case KeyAlgorithm::rsa:
            return "RSA";
        case KeyAlgorithm::other:
            break;
    }
    return "other";
}

PublicKey describe(const EVP_PKEY& key) {
    PublicKey out;
    out.spki_der =
        ossl::to_der(&key, [](const EVP_PKEY* k, unsigned char** p) { return i2d_PUBKEY(k, p); });
    out.bits = EVP_PKEY_get_bits(&key);
    if (EVP_PKEY_get_base_id(&key) == EVP_PKEY_EC) {
        out.algorithm = ec_algorithm(key, out.spki_der.size());
    } else if (EVP_PKEY_get_base_id(&key) == EVP_PKEY_RSA && has_usual_exponent(key)) {
        out.algorithm = KeyAlgorithm::rsa;
    }
    static_cast<void>(ossl::take_errors());
    return out;
}

ossl::Pkey to_pkey(const PublicKey& key) {
    const unsigned char* in = key.spki_der.data();
    return ossl::Pkey{d2i_PUBKEY(nullptr, &in, static_cast<long>(key.spki_der.size()))};
}

Result<void> check_key(const PublicKey& key) {
    if (key.algorithm == KeyAlgorithm::other) {
        return make_error(Errc::invalid_argument, "E5224",
                          "The public key is of a kind that is not accepted here.",
                          "Devices and brokers must all be able to check it.",
                          "Use P-256 or P-384 (named curve, uncompressed point), or RSA with "
                          "exponent 65537: openssl ecparam -name prime256v1 -genkey -noout");
    }
    if (key.algorithm == KeyAlgorithm::rsa && (key.bits < kRsaBitsMin || key.bits > kRsaBitsMax)) {
        return make_error(Errc::invalid_argument, "E5225",
                          "The RSA key has " + std::to_string(key.bits) + " bits.",
                          "Shorter keys than 2048 bits are breakable, longer ones than 4096 too "
                          "slow for small devices.",
                          "Make a key of 2048 bits, or better a P-256 key: openssl ecparam -name "
                          "prime256v1 -genkey -noout");
    }
    return {};
}

}  // namespace iotsky::certs
