#include "provisioning/authority_issuer.hpp"

#include "certs/authority.hpp"
#include "certs/csr.hpp"
#include "certs/profile.hpp"

namespace iotsky::provisioning {
namespace {

std::string key_type_of(const certs::PublicKey& key) {
    switch (key.algorithm) {
        case certs::KeyAlgorithm::p256:
            return "p256";
        case certs::KeyAlgorithm::p384:
            return "p384";
        case certs::KeyAlgorithm::rsa:
            return "rsa" + std::to_string(key.bits);
        case certs::KeyAlgorithm::other:
            break;
    }
    return "other";
}

IssuedCertificate issued(const certs::Certificate& certificate) {
    IssuedCertificate result;
    result.pem = certificate.pem();
    result.fingerprint = certificate.fingerprint();
    result.not_before = certificate.not_before();
    result.not_after = certificate.not_after();
    result.key_type = key_type_of(certificate.public_key());
    return result;
}

}  // namespace

AuthorityIssuer::AuthorityIssuer(std::shared_ptr<const certs::Authority> authority,
                                 std::string site, Random& random)
    : authority_(std::move(authority)), site_(std::move(site)), random_(random) {}

std::string AuthorityIssuer::issuer_key_id() const {
    return authority_->certificate(certs::CaRole::device).subject_key_id();
}

certs::Serial AuthorityIssuer::new_serial() {
    return certs::new_serial(random_);
}

Result<void> AuthorityIssuer::check_csr(std::string_view csr) const {
    IOTSKY_CHECK(certs::parse_csr(csr));
    return {};
}

Result<IssuedCertificate> AuthorityIssuer::issue(const CertificateOrder& order, WallTime now) {
    certs::DeviceRequest request;
    request.common_name = certs::fit_common_name(order.common_name);
    request.san_uri = "iotsky:" + site_ + ":" + order.name_uri;
    request.not_after = order.not_after;
    request.serial = order.serial;
    if (!order.csr.empty()) {
        IOTSKY_TRY(csr, certs::parse_csr(order.csr));
        IOTSKY_TRY(certificate, authority_->sign_device(request, csr.public_key, now));
        return issued(certificate);
    }
    IOTSKY_TRY(type, certs::parse_key_type(order.key_type));
    IOTSKY_TRY(made, authority_->issue_device_with_key(request, type, now));
    IssuedCertificate result = issued(made.certificate);
    result.private_key = made.key.pem();
    return result;
}

}  // namespace iotsky::provisioning
