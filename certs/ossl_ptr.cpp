#include "certs/ossl_ptr.hpp"

#include <openssl/err.h>

namespace iotsky::certs::ossl {

std::string take_errors() {
    std::string text;
    while (const unsigned long code = ERR_get_error()) {
        char line[256];
        ERR_error_string_n(code, line, sizeof line);
        text += text.empty() ? line : std::string{"; "} + line;
    }
    return text;
}

Bio reader(std::string_view text) {
    return Bio{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

Bio writer() {
    return Bio{BIO_new(BIO_s_mem())};
}

SecretString secret_of(BIO& bio) {
    char* data = nullptr;
    const long length = BIO_get_mem_data(&bio, &data);
    return length <= 0 ? SecretString{}
                       : SecretString{std::string_view{data, static_cast<std::size_t>(length)}};
}

std::string text_of(BIO& bio) {
    char* data = nullptr;
    const long length = BIO_get_mem_data(&bio, &data);
    return length <= 0 ? std::string{} : std::string(data, static_cast<std::size_t>(length));
}

}  // namespace iotsky::certs::ossl
