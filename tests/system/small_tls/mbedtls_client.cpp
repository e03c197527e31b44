// An MQTT client on Mbed TLS, as ESP-IDF has it: verifies name and dates, sends its certificate.
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <string>

#include "tests/system/small_tls/small_client.hpp"

namespace {

std::time_t clock_s = 0;

int send_some(void* context, const unsigned char* data, std::size_t size) {
    const ssize_t n = ::send(*static_cast<int*>(context), data, size, MSG_NOSIGNAL);
    return n < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : static_cast<int>(n);
}

int receive_some(void* context, unsigned char* data, std::size_t size) {
    const ssize_t n = ::recv(*static_cast<int*>(context), data, size, 0);
    return n < 0 ? MBEDTLS_ERR_SSL_TIMEOUT : static_cast<int>(n);
}

std::string words_of(int code) {
    char text[200] = {};
    mbedtls_strerror(code, text, sizeof text);
    return text;
}

/// Everything that one connection needs, in the library's own C objects.
struct Client {
    Client() {
        mbedtls_ssl_init(&ssl);
        mbedtls_ssl_config_init(&config);
        mbedtls_x509_crt_init(&ca);
        mbedtls_x509_crt_init(&certificate);
        mbedtls_pk_init(&key);
        mbedtls_entropy_init(&entropy);
        mbedtls_ctr_drbg_init(&random);
    }
    ~Client() {
        mbedtls_ssl_free(&ssl);
        mbedtls_ssl_config_free(&config);
        mbedtls_x509_crt_free(&ca);
        mbedtls_x509_crt_free(&certificate);
        mbedtls_pk_free(&key);
        mbedtls_ctr_drbg_free(&random);
        mbedtls_entropy_free(&entropy);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    mbedtls_ssl_context ssl;
    mbedtls_ssl_config config;
    mbedtls_x509_crt ca;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
};

int parse_pem(mbedtls_x509_crt& out, const std::string& path) {
    const auto pem = small_tls::read_file(path);
    return mbedtls_x509_crt_parse(&out, pem.data(), pem.size());
}

int load_files(Client& client, const small_tls::Options& options) {
    int rc = parse_pem(client.ca, options.ca_file);
    if (rc == 0 && !options.certificate_file.empty()) {
        rc = parse_pem(client.certificate, options.certificate_file);
        const auto pem = small_tls::read_file(options.key_file);
        rc = rc != 0 ? rc : mbedtls_pk_parse_key(&client.key, pem.data(), pem.size(), nullptr, 0);
        rc = rc != 0 ? rc
                     : mbedtls_ssl_conf_own_cert(&client.config, &client.certificate, &client.key);
    }
    return rc;
}

int configure(Client& client, const small_tls::Options& options) {
    int rc =
        mbedtls_ctr_drbg_seed(&client.random, mbedtls_entropy_func, &client.entropy, nullptr, 0);
    rc = rc != 0 ? rc
                 : mbedtls_ssl_config_defaults(&client.config, MBEDTLS_SSL_IS_CLIENT,
                                               MBEDTLS_SSL_TRANSPORT_STREAM,
                                               MBEDTLS_SSL_PRESET_DEFAULT);
    rc = rc != 0 ? rc : load_files(client, options);
    mbedtls_ssl_conf_authmode(&client.config, MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&client.config, &client.ca, nullptr);
    mbedtls_ssl_conf_rng(&client.config, mbedtls_ctr_drbg_random, &client.random);
    if (options.small_records) {
        // Not 512: this library cannot join a handshake message that spans records, and a
        // certificate with a few names is longer than that.
        rc = rc != 0 ? rc
                     : mbedtls_ssl_conf_max_frag_len(&client.config, MBEDTLS_SSL_MAX_FRAG_LEN_1024);
    }
    rc = rc != 0 ? rc : mbedtls_ssl_setup(&client.ssl, &client.config);
    return rc != 0 ? rc : mbedtls_ssl_set_hostname(&client.ssl, options.name.c_str());
}

/// Why the certificate was refused, in the library's words, on one line.
std::string verify_words(const Client& client, int rc) {
    const unsigned flags = mbedtls_ssl_get_verify_result(&client.ssl);
    if (flags == 0 || flags == 0xffffffffU) {
        return words_of(rc);
    }
    char text[400] = {};
    mbedtls_x509_crt_verify_info(text, sizeof text, "", flags);
    std::string line{text};
    for (char& c : line) {
        c = c == '\n' ? ' ' : c;
    }
    return line;
}

int exchange(Client& client, const small_tls::Options& options) {
    const auto packet = small_tls::connect_packet(options.client_id);
    int rc = mbedtls_ssl_write(&client.ssl, packet.data(), packet.size());
    std::vector<unsigned char> connack(4);
    std::size_t have = 0;
    while (rc > 0 && have < connack.size()) {
        rc = mbedtls_ssl_read(&client.ssl, connack.data() + have, connack.size() - have);
        have += rc > 0 ? static_cast<std::size_t>(rc) : 0;
    }
    if (rc <= 0) {
        return small_tls::refused(rc == 0 ? "closed" : words_of(rc));
    }
    return small_tls::judge_connack(connack, std::string{"mbedtls "} +
                                                 mbedtls_ssl_get_version(&client.ssl) + " " +
                                                 mbedtls_ssl_get_ciphersuite(&client.ssl));
}

}  // namespace

/// Debian's Mbed TLS is built with the system's clock. The library looks `time` up at run time and
/// finds this one first: the clock of a board without a battery.
extern "C" std::time_t time(std::time_t* out) noexcept {
    if (out != nullptr) {
        *out = clock_s;
    }
    return clock_s;
}

int main(int argc, char** argv) {
    const small_tls::Options options = small_tls::parse_options(argc, argv);
    clock_s = options.clock_unix_s;
    Client client;
    int rc = configure(client, options);
    if (rc != 0) {
        return small_tls::refused(words_of(rc));
    }
    int fd = small_tls::connect_to(options);
    mbedtls_ssl_set_bio(&client.ssl, &fd, send_some, receive_some, nullptr);
    rc = mbedtls_ssl_handshake(&client.ssl);
    const int status =
        rc != 0 ? small_tls::refused(verify_words(client, rc)) : exchange(client, options);
    ::close(fd);
    return status;
}
