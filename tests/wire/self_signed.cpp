#include "tests/wire/self_signed.hpp"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <string>

#include "broker/net/tls_context.hpp"
#include "broker/net/tls_ossl.hpp"

namespace iotsky::wire {
namespace {

template <typename Write>
std::string pem(Write write) {
    const net::ossl::BioPtr bio{BIO_new(BIO_s_mem())};
    write(bio.get());
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

std::string certificate_of(EVP_PKEY* key) {
    const net::ossl::X509Ptr certificate{X509_new()};
    X509* const x = certificate.get();
    X509_set_version(x, 2);
    X509_gmtime_adj(X509_getm_notBefore(x), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(x), 24 * 3'600);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    return pem([&](BIO* bio) { PEM_write_bio_X509(bio, x); });
}

}  // namespace

std::shared_ptr<net::TlsSlot> self_signed() {
    const net::ossl::KeyPtr key{EVP_EC_gen("P-256")};
    const std::string chain = certificate_of(key.get());
    const std::string key_pem = pem([&](BIO* bio) {
        PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    net::TlsMaterial material;
    material.chain_pem = chain;
    material.key_pem = key_pem;
    net::TlsOptions options;
    options.client_certificate = net::ClientCertificate::none;
    return std::make_shared<net::TlsSlot>(
        net::TlsContext::make(options, material, nullptr).value());
}

}  // namespace iotsky::wire
