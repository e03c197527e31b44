// An MQTT client on BearSSL, as the ESP8266 core has it: one small buffer for both directions, so
// it asks for records of 512 bytes; verifies name and dates, sends its certificate.
#include <bearssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "tests/system/small_tls/bearssl_identity.hpp"
#include "tests/system/small_tls/small_client.hpp"

namespace {

/// Days from year 0 to 1970-01-01, as BearSSL counts.
constexpr std::uint32_t kDaysTo1970 = 719528;
/// Records of 512 bytes and what TLS puts around them: "buffers 512" of an ESP8266 sketch.
constexpr std::size_t kSmallBuffer = 512 + 325;

int receive_some(void* context, unsigned char* data, std::size_t size) {
    const ssize_t n = ::recv(*static_cast<int*>(context), data, size, 0);
    return n <= 0 ? -1 : static_cast<int>(n);
}

int send_some(void* context, const unsigned char* data, std::size_t size) {
    const ssize_t n = ::send(*static_cast<int*>(context), data, size, MSG_NOSIGNAL);
    return n <= 0 ? -1 : static_cast<int>(n);
}

std::string words_of(int code) {
    switch (code) {
        case BR_ERR_X509_EXPIRED:
            return "certificate expired or not yet valid";
        case BR_ERR_X509_BAD_SERVER_NAME:
            return "bad server name";
        case BR_ERR_X509_NOT_TRUSTED:
            return "certificate not trusted";
        default:
            return "BearSSL error " + std::to_string(code);
    }
}

struct Session {
    br_ssl_client_context client;
    br_x509_minimal_context verifier;
    br_sslio_context io;
    unsigned char buffer[BR_SSL_BUFSIZE_BIDI];
};

void set_up(Session& session, const small_tls::Options& options,
            const small_tls::TrustAnchor& anchor) {
    br_ssl_client_init_full(&session.client, &session.verifier, &anchor.get(), 1);
    const auto days = static_cast<std::uint32_t>(options.clock_unix_s / 86400);
    const auto seconds = static_cast<std::uint32_t>(options.clock_unix_s % 86400);
    br_x509_minimal_set_time(&session.verifier, kDaysTo1970 + days, seconds);
    br_ssl_engine_set_buffer(&session.client.eng, session.buffer,
                             options.small_records ? kSmallBuffer : sizeof session.buffer,
                             options.small_records ? 0 : 1);
}

int exchange(Session& session, const small_tls::Options& options) {
    const auto packet = small_tls::connect_packet(options.client_id);
    std::vector<unsigned char> connack(4);
    if (br_sslio_write_all(&session.io, packet.data(), packet.size()) != 0 ||
        br_sslio_flush(&session.io) != 0 ||
        br_sslio_read_all(&session.io, connack.data(), connack.size()) != 0) {
        return small_tls::refused(words_of(br_ssl_engine_last_error(&session.client.eng)));
    }
    const unsigned version = br_ssl_engine_get_version(&session.client.eng);
    return small_tls::judge_connack(connack,
                                    version == BR_TLS12 ? "bearssl TLSv1.2" : "bearssl older TLS");
}

}  // namespace

int main(int argc, char** argv) {
    const small_tls::Options options = small_tls::parse_options(argc, argv);
    const auto authorities = small_tls::read_pem_file(options.ca_file);
    if (authorities.empty()) {
        return small_tls::refused("no CA certificate");
    }
    const small_tls::TrustAnchor anchor{authorities[0]};
    const auto session = std::make_unique<Session>();
    set_up(*session, options, anchor);
    std::unique_ptr<small_tls::DeviceIdentity> identity;
    if (!options.certificate_file.empty()) {
        identity =
            std::make_unique<small_tls::DeviceIdentity>(options.certificate_file, options.key_file);
        identity->use(session->client);
    }
    if (br_ssl_client_reset(&session->client, options.name.c_str(), 0) != 1) {
        return small_tls::refused("no random numbers");
    }
    int fd = small_tls::connect_to(options);
    br_sslio_init(&session->io, &session->client.eng, receive_some, &fd, send_some, &fd);
    const int status = exchange(*session, options);
    ::close(fd);
    return status;
}
