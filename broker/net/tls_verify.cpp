// Whom TLS lets in. A certificate is found by what it is, never by its names (`decisions.md` 11).

#include <openssl/x509_vfy.h>

#include "broker/net/tls_context_impl.hpp"

namespace iotsky::net {
namespace {

using Standing = broker::CertificateDirectory::Standing;

int pass(X509_STORE_CTX* store, int verify_result) noexcept {
    X509_STORE_CTX_set_error(store, verify_result);
    return 1;
}

}  // namespace

int verify_client(X509_STORE_CTX* store, void* context_impl) {
    auto& context = *static_cast<TlsContext::Impl*>(context_impl);
    auto* const ssl =
        static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
    TlsFacts& facts = facts_of(*ssl);
    X509& leaf = *X509_STORE_CTX_get0_cert(store);
    facts.certificate_der = ossl::to_der(leaf);
    facts.certificate_name = ossl::common_name(leaf);
    facts.standing = context.directory->standing(facts.certificate_der);
    if (facts.standing == Standing::active) {
        return pass(store, X509_V_OK);  // also a registered foreign one without a known chain
    }
    if (facts.standing == Standing::known_inactive) {
        if (!context.options.strict_revocation) {
            return pass(store, X509_V_ERR_CERT_REVOKED);  // CONNACK 5 says it in MQTT's words
        }
        facts.revoked = true;
        X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
        return 0;
    }
    return X509_verify_cert(store) > 0 ? 1 : 0;  // its error picks the alert
}

}  // namespace iotsky::net
