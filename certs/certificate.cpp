#include "certs/certificate.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "base/text.hpp"
#include "certs/name_fields.hpp"
#include "certs/pem.hpp"
#include "certs/public_key_ossl.hpp"
#include "certs/x509_ossl.hpp"

namespace iotsky::certs {
namespace {

Error bad_certificate(std::string why) {
    Error error =
        make_error(Errc::invalid_argument, "E5230", "This is not a usable certificate.",
                   std::move(why), "Give one certificate, PEM or DER, and nothing behind it.");
    error.detail = ossl::take_errors();
    return error;
}

Result<std::string> to_der_text(std::string_view input) {
    if (input.empty() || input.size() > kCertificateBytesMax) {
        return bad_certificate(input.empty() ? "It is empty." : "It is longer than 64 KiB.");
    }
    if (!looks_like_pem(input)) {
        return std::string{input};
    }
    const auto pem = read_pem(input);
    if (const auto* fault = std::get_if<PemFault>(&pem)) {
        return bad_certificate(*fault == PemFault::trailing_bytes
                                   ? "There is something behind it."
                                   : "The PEM text is cut off or damaged.");
    }
    const auto& block = std::get<PemBlock>(pem);
    if (block.label != "CERTIFICATE") {
        return bad_certificate("It is a \"" + block.label.substr(0, 40) + "\".");
    }
    return std::string{block.der.view()};
}

/// Dates that WallTime cannot hold ("99991231235959Z" means never) are cut to what it can.
Result<WallTime> read_time(const ASN1_TIME& time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(&time, &parts) != 1) {
        return bad_certificate("Its dates cannot be read.");
    }
    const std::int64_t seconds = timegm(&parts);
    return from_unix_s(
        std::clamp(seconds, to_unix_s(WallTime::min()) + 1, to_unix_s(WallTime::max()) - 1));
}

std::string read_serial(const ASN1_INTEGER& serial) {
    const ossl::BigNum number{ASN1_INTEGER_to_BN(&serial, nullptr)};
    if (!number || BN_is_zero(number.get()) == 1) {
        return "00";
    }
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return (BN_is_negative(number.get()) == 1 ? "-" : "") + to_hex(bytes);
}

/// Reads one extension. Absent: a null pointer. Twice or unreadable: an error, for two readers
/// could understand it differently.
template <typename P>
Result<P> extension(const X509& cert, int nid) {
    int critical = 0;
    P value{static_cast<typename P::pointer>(X509_get_ext_d2i(&cert, nid, &critical, nullptr))};
    if (!value && critical != -1) {
        return bad_certificate(std::string{"Its extension "} + OBJ_nid2sn(nid) +
                               " is damaged or there twice.");
    }
    return value;
}

constexpr std::array<std::string_view, 9> kUsageBits{
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly"};

Result<void> read_key_usage(const X509& cert, Certificate::Data& data) {
    IOTSKY_TRY(usage, extension<ossl::BitString>(cert, NID_key_usage));
    for (std::size_t i = 0; usage && i < kUsageBits.size(); ++i) {
        if (ASN1_BIT_STRING_get_bit(usage.get(), static_cast<int>(i)) == 1) {
            data.key_usage.emplace_back(kUsageBits[i]);
        }
    }
    IOTSKY_TRY(extended, extension<ossl::ExtendedKeyUsage>(cert, NID_ext_key_usage));
    for (int i = 0; extended && i < sk_ASN1_OBJECT_num(extended.get()); ++i) {
        char text[128] = {};
        OBJ_obj2txt(text, sizeof text, sk_ASN1_OBJECT_value(extended.get(), i), 0);
        const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(extended.get(), i));
        data.extended_key_usage.emplace_back(nid == NID_undef ? text : OBJ_nid2sn(nid));
    }
    return {};
}

Result<void> read_constraints(const X509& cert, Certificate::Data& data) {
    IOTSKY_TRY(basic, extension<ossl::BasicConstraints>(cert, NID_basic_constraints));
    data.is_ca = basic && basic->ca != 0;
    if (basic && basic->pathlen != nullptr) {
        data.path_length = ASN1_INTEGER_get(basic->pathlen);
    }
    return {};
}

Result<void> read_names(const X509& cert, Certificate::Data& data) {
    data.subject = read_name(*X509_get_subject_name(&cert));
    data.issuer = read_name(*X509_get_issuer_name(&cert));
    IOTSKY_TRY(names, extension<ossl::GeneralNames>(cert, NID_subject_alt_name));
    if (names) {
        data.alternative_names = read_alternative_names(*names);
    }
    IOTSKY_TRY(issuer_names, extension<ossl::GeneralNames>(cert, NID_issuer_alt_name));
    if (issuer_names) {
        data.issuer_alternative_names = read_alternative_names(*issuer_names);
    }
    return {};
}

std::string octets_hex(const ASN1_OCTET_STRING& octets) {
    return to_hex(
        {ASN1_STRING_get0_data(&octets), static_cast<std::size_t>(ASN1_STRING_length(&octets))});
}

Result<void> read_key_ids(const X509& cert, Certificate::Data& data) {
    IOTSKY_TRY(subject, extension<ossl::OctetString>(cert, NID_subject_key_identifier));
    if (subject) {
        data.subject_key_id = octets_hex(*subject);
    }
    IOTSKY_TRY(authority, extension<ossl::AuthorityKeyId>(cert, NID_authority_key_identifier));
    if (authority && authority->keyid != nullptr) {
        data.authority_key_id = octets_hex(*authority->keyid);
    }
    return {};
}

void list_extensions(const X509& cert, Certificate::Data& data) {
    for (int i = 0; i < X509_get_ext_count(&cert); ++i) {
        X509_EXTENSION* item = X509_get_ext(&cert, i);
        const int nid = OBJ_obj2nid(X509_EXTENSION_get_object(item));
        char oid[128] = {};
        OBJ_obj2txt(oid, sizeof oid, X509_EXTENSION_get_object(item), 1);
        data.extensions.push_back(
            std::string{X509_EXTENSION_get_critical(item) == 1 ? "critical," : ""} +
            (nid == NID_undef ? oid : OBJ_nid2sn(nid)));
    }
}

Result<Certificate::Data> read_all(const X509& cert, std::string_view der) {
    Certificate::Data data;
    data.der.assign(der.begin(), der.end());
    data.pem = write_pem("CERTIFICATE", der);
    data.fingerprint = Fingerprint::of(data.der);
    data.serial_hex = read_serial(*X509_get0_serialNumber(&cert));
    IOTSKY_TRY(not_before, read_time(*X509_get0_notBefore(&cert)));
    IOTSKY_TRY(not_after, read_time(*X509_get0_notAfter(&cert)));
    data.not_before = not_before;
    data.not_after = not_after;
    const EVP_PKEY* key = X509_get0_pubkey(&cert);
    if (key == nullptr) {
        return bad_certificate("Its public key cannot be read.");
    }
    data.public_key = describe(*key);
    IOTSKY_CHECK(read_names(cert, data));
    IOTSKY_CHECK(read_constraints(cert, data));
    IOTSKY_CHECK(read_key_usage(cert, data));
    IOTSKY_CHECK(read_key_ids(cert, data));
    list_extensions(cert, data);
    return data;
}

}  // namespace

Result<Certificate> Certificate::parse(std::string_view pem_or_der) {
    IOTSKY_TRY(der, to_der_text(pem_or_der));
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    const unsigned char* const end = in + der.size();
    ossl::Cert cert{d2i_X509(nullptr, &in, static_cast<long>(der.size()))};
    if (!cert) {
        return bad_certificate("Its bytes are not the DER of an X.509 certificate.");
    }
    if (in != end) {
        return bad_certificate("There is something behind it.");
    }
    IOTSKY_TRY(data, read_all(*cert, der));
    if (data.is_ca) {
        // OpenSSL caches what the extensions say at the first use; now, while one thread has it.
        static_cast<void>(X509_check_purpose(cert.get(), -1, 0));
        data.ca_x509 = std::shared_ptr<X509>{std::move(cert)};
    }
    static_cast<void>(ossl::take_errors());
    return Certificate{std::make_shared<const Data>(std::move(data))};
}

std::string Certificate::common_name() const {
    const auto found = data_->subject.find("CommonName");
    return found == data_->subject.end() ? std::string{} : found->second;
}

ossl::Cert to_x509(const Certificate& certificate) {
    if (auto* kept = static_cast<X509*>(certificate.data().ca_x509.get())) {
        X509_up_ref(kept);
        return ossl::Cert{kept};
    }
    const unsigned char* in = certificate.der().data();
    return ossl::Cert{d2i_X509(nullptr, &in, static_cast<long>(certificate.der().size()))};
}

}  // namespace iotsky::certs
