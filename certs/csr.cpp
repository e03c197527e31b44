#include "certs/csr.hpp"

#include <utility>

#include "certs/common_name.hpp"
#include "certs/name_fields.hpp"
#include "certs/ossl_ptr.hpp"
#include "certs/pem.hpp"
#include "certs/public_key_ossl.hpp"

namespace iotsky::certs {
namespace {

Error refused(std::string_view number, std::string message, std::string why, std::string how) {
    Error error = make_error(Errc::invalid_argument, number, std::move(message), std::move(why),
                             std::move(how));
    error.detail = ossl::take_errors();
    return error;
}

Error not_a_request(std::string why) {
    return refused("E5221", "This is not a certificate signing request.", std::move(why),
                   "Make one: openssl req -new -key device.key -subj /CN=weather -out device.csr");
}

Error trailing_bytes() {
    return refused("E5222", "There is something behind the certificate signing request.",
                   "A request is one block; what follows could hide another.",
                   "Send the request alone, to the end of the \"-----END\" line.");
}

/// The DER in `input`, which is one PEM block or DER already.
Result<std::string> to_der_text(std::string_view input) {
    if (!looks_like_pem(input)) {
        return std::string{input};
    }
    const auto pem = read_pem(input);
    if (const auto* fault = std::get_if<PemFault>(&pem)) {
        if (*fault == PemFault::trailing_bytes) {
            return trailing_bytes();
        }
        return not_a_request("The PEM text is cut off or damaged.");
    }
    const auto& block = std::get<PemBlock>(pem);
    if (block.label != "CERTIFICATE REQUEST" && block.label != "NEW CERTIFICATE REQUEST") {
        return not_a_request("It is a \"" + block.label.substr(0, 40) + "\".");
    }
    return std::string{block.der.view()};
}

Result<ossl::Request> decode(const std::string& der) {
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    const unsigned char* const end = in + der.size();
    ossl::Request request{d2i_X509_REQ(nullptr, &in, static_cast<long>(der.size()))};
    if (!request) {
        return not_a_request("Its bytes are not the DER of a PKCS#10 request.");
    }
    if (in != end) {
        return trailing_bytes();
    }
    return request;
}

Result<std::string> common_name_of(const X509_REQ& request) {
    const NameFields subject = read_name(*X509_REQ_get_subject_name(&request));
    const auto [first, last] = subject.equal_range("CommonName");
    const auto refuse = [](std::string message) {
        return refused("E5226", std::move(message),
                       "The common name is shown to people and must name one thing.",
                       "Give one of 1 to 64 printable characters: openssl req -new -key "
                       "device.key -subj /CN=weather");
    };
    if (first == last) {
        return refuse("The request has no common name.");
    }
    if (std::next(first) != last) {
        return refuse("The request has several common names.");
    }
    if (!is_valid_common_name(first->second)) {
        return refuse("The common name of the request is empty, too long or not printable.");
    }
    return first->second;
}

}  // namespace

Result<Csr> parse_csr(std::string_view pem_or_der) {
    if (pem_or_der.size() > kCsrBytesMax) {
        return refused("E5220", "The certificate signing request is longer than 16 KiB.",
                       "A request with an RSA key of 4096 bits has less than 2 KiB.",
                       "Send only the request: the block from BEGIN CERTIFICATE REQUEST to END.");
    }
    if (pem_or_der.empty()) {
        return not_a_request("It is empty.");
    }
    IOTSKY_TRY(der, to_der_text(pem_or_der));
    IOTSKY_TRY(request, decode(der));
    EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
    if (key == nullptr) {
        return refused("E5224", "The public key of the request cannot be read.",
                       "It is damaged, or of a kind that is not known here.",
                       "Use P-256: openssl ecparam -name prime256v1 -genkey -noout");
    }
    // Before the signature: checking one under a monstrous key would be the costly part.
    PublicKey public_key = describe(*key);
    IOTSKY_CHECK(check_key(public_key));
    if (X509_REQ_verify(request.get(), key) != 1) {
        return refused("E5223", "The signature of the request is wrong.",
                       "It was changed on the way, or made with another key than it names.",
                       "Make the request again with the device's own key.");
    }
    IOTSKY_TRY(common_name, common_name_of(*request));
    return Csr{std::move(common_name), std::move(public_key)};
}

}  // namespace iotsky::certs
