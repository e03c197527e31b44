#include "certs/pem.hpp"

#include <openssl/pem.h>

#include "certs/ossl_ptr.hpp"

namespace iotsky::certs {
namespace {

constexpr std::string_view kSpace = " \t\r\n";

std::string_view without_leading_space(std::string_view text) noexcept {
    const std::size_t start = text.find_first_not_of(kSpace);
    return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

}  // namespace

bool looks_like_pem(std::string_view text) noexcept {
    return without_leading_space(text).starts_with("-----");
}

std::variant<PemBlock, PemFault> read_pem(std::string_view text) {
    text = without_leading_space(text);
    if (!text.starts_with("-----BEGIN ")) {
        return PemFault::not_pem;
    }
    const ossl::Bio bio = ossl::reader(text);
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long length = 0;
    if (PEM_read_bio(bio.get(), &name, &header, &data, &length) != 1) {
        static_cast<void>(ossl::take_errors());
        return PemFault::broken;
    }
    PemBlock block{name, header[0] != '\0',
                   SecretString{std::string_view{reinterpret_cast<const char*>(data),
                                                 static_cast<std::size_t>(length)}}};
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(data, static_cast<std::size_t>(length));
    if (!without_leading_space(ossl::text_of(*bio)).empty()) {
        return PemFault::trailing_bytes;
    }
    return block;
}

std::string write_pem(std::string_view label, std::string_view der) {
    const ossl::Bio bio = ossl::writer();
    PEM_write_bio(bio.get(), std::string{label}.c_str(), "",
                  reinterpret_cast<const unsigned char*>(der.data()),
                  static_cast<long>(der.size()));
    return ossl::text_of(*bio);
}

}  // namespace iotsky::certs
