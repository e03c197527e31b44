#pragma once

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "broker/identity.hpp"
#include "broker/net/tls_context.hpp"
#include "broker/net/tls_ossl.hpp"

namespace iotsky::net {

/// A certificate with its key, made for tests.
struct TestCert {
    ossl::X509Ptr certificate;
    ossl::KeyPtr key;

    [[nodiscard]] std::string cert_pem() const {
        return pem([&](BIO* bio) { PEM_write_bio_X509(bio, certificate.get()); });
    }
    [[nodiscard]] std::string key_pem() const {
        return pem([&](BIO* bio) {
            PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        });
    }
    [[nodiscard]] std::string der() const { return ossl::to_der(*certificate); }

  private:
    template <typename Write>
    static std::string pem(Write write) {
        const ossl::BioPtr bio{BIO_new(BIO_s_mem())};
        write(bio.get());
        char* text = nullptr;
        const long length = BIO_get_mem_data(bio.get(), &text);
        return {text, static_cast<std::size_t>(length)};
    }
};

enum class KeyKind { p256, rsa };

inline ossl::KeyPtr make_key(KeyKind kind) {
    return ossl::KeyPtr{kind == KeyKind::p256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048)};
}

/// A P-256 key that claims to be `claimed` and signs with another one: what a device has that holds
/// the certificate of one zip and the key of the next.
inline ossl::KeyPtr make_wrong_key(const EVP_PKEY& claimed) {
    const ossl::KeyPtr other = make_key(KeyKind::p256);
    BIGNUM* secret = nullptr;
    REQUIRE(EVP_PKEY_get_bn_param(other.get(), OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1);
    std::array<unsigned char, 128> point{};
    std::size_t length = 0;
    REQUIRE(EVP_PKEY_get_octet_string_param(&claimed, OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                            point.size(), &length) == 1);
    OSSL_PARAM_BLD* const build = OSSL_PARAM_BLD_new();
    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0);
    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point.data(), length);
    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret);
    OSSL_PARAM* const params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr);
    EVP_PKEY* key = nullptr;
    REQUIRE(EVP_PKEY_fromdata_init(context) == 1);
    REQUIRE(EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) == 1);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_free(secret);
    return ossl::KeyPtr{key};
}

struct CertSpec {
    std::string name;
    KeyKind kind = KeyKind::p256;
    bool ca = false;
    std::string san;      ///< "DNS:iotsky.local,IP:127.0.0.1"
    long valid_s = 3600;  ///< negative: has expired
};

/// Signed by `issuer`, or by itself.
inline TestCert make_cert(const CertSpec& spec, const TestCert* issuer = nullptr) {
    static long serial = 1;
    TestCert out{ossl::X509Ptr{X509_new()}, make_key(spec.kind)};
    X509* const x = out.certificate.get();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -7200);
    X509_gmtime_adj(X509_getm_notAfter(x), spec.valid_s);
    X509_set_pubkey(x, out.key.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(spec.name.c_str()), -1, -1,
                               0);
    const TestCert& signer = issuer == nullptr ? out : *issuer;
    X509_set_issuer_name(x, X509_get_subject_name(signer.certificate.get()));
    const auto add = [&](int nid, const std::string& value) {
        X509V3_CTX context;
        X509V3_set_ctx(&context, signer.certificate.get(), x, nullptr, nullptr, 0);
        X509_EXTENSION* const extension =
            X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
        REQUIRE(extension != nullptr);
        X509_add_ext(x, extension, -1);
        X509_EXTENSION_free(extension);
    };
    add(NID_basic_constraints, spec.ca ? "critical,CA:TRUE" : "CA:FALSE");
    if (!spec.san.empty()) {
        add(NID_subject_alt_name, spec.san);
    }
    REQUIRE(X509_sign(x, signer.key.get(), EVP_sha256()) > 0);
    return out;
}

/// Answers as told; everything else is unknown.
class TestDirectory final : public broker::CertificateDirectory {
  public:
    std::map<std::string, Standing> known;
    Standing standing(std::string_view der) override {
        const auto it = known.find(std::string{der});
        return it == known.end() ? Standing::unknown : it->second;
    }
};

/// A whole little world: server CA and leaf, device CA, two devices.
struct TestPki {
    TestCert server_ca = make_cert({"server CA", KeyKind::p256, true, {}, 3600});
    TestCert server = make_cert(
        {"iotsky", KeyKind::p256, false, "DNS:iotsky.local,IP:127.0.0.1,DNS:127.0.0.1", 3600},
        &server_ca);
    TestCert device_ca = make_cert({"device CA", KeyKind::p256, true, {}, 3600});
    TestCert device = make_cert({"7b:otter:weather", KeyKind::p256, false, {}, 3600}, &device_ca);
    TestDirectory directory;
    TicketKeySet tickets = keys(1);

    TestPki() { directory.known[device.der()] = broker::CertificateDirectory::Standing::active; }

    static TicketKeySet keys(std::uint8_t seed) {
        TicketKeySet set;
        for (std::size_t i = 0; i < set.current.size(); ++i) {
            set.current[i] = static_cast<std::uint8_t>(seed + i);
        }
        return set;
    }
    [[nodiscard]] std::shared_ptr<const TlsContext> context(const TlsOptions& options = {}) {
        const std::string chain = server.cert_pem();
        const std::string key = server.key_pem();
        const std::string roots = device_ca.cert_pem();
        TlsMaterial material;
        material.chain_pem = chain;
        material.key_pem = key;
        material.client_roots_pem = roots;
        material.tickets = tickets;
        return TlsContext::make(options, material, &directory).value();
    }
};

}  // namespace iotsky::net
