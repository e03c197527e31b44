// What a stranger may send as a certificate signing request or certificate, PEM or DER: never a
// crash, and what is accepted keeps the promises of its type.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "certs/certificate.hpp"
#include "certs/common_name.hpp"
#include "certs/csr.hpp"

namespace {

void require(bool promise) {
    if (!promise) {
        std::abort();
    }
}

void check_request(std::string_view input) {
    using iotsky::certs::KeyAlgorithm;
    const auto csr = iotsky::certs::parse_csr(input);
    if (!csr) {
        require(!csr.error().number.empty() && !csr.error().why.empty() &&
                !csr.error().how.empty());
        return;
    }
    require(input.size() <= iotsky::certs::kCsrBytesMax);
    require(iotsky::certs::is_valid_common_name(csr->common_name));
    require(csr->public_key.algorithm != KeyAlgorithm::other);
    require(csr->public_key.algorithm != KeyAlgorithm::rsa ||
            (csr->public_key.bits >= 2048 && csr->public_key.bits <= 4096));
}

void check_certificate(std::string_view input) {
    const auto cert = iotsky::certs::Certificate::parse(input);
    if (!cert) {
        require(cert.error().number == "E5230" && !cert.error().why.empty());
        return;
    }
    // Reading it back from either form gives the same certificate.
    const std::string_view der{reinterpret_cast<const char*>(cert->der().data()),
                               cert->der().size()};
    require(iotsky::certs::Certificate::parse(cert->pem()).value() == *cert);
    require(iotsky::certs::Certificate::parse(der).value() == *cert);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    check_request(input);
    check_certificate(input);
    return 0;
}
