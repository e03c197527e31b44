// Session tickets without state: RFC 5077's recommended form, keys fed from outside.

#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <span>

#include "broker/net/tls_context_impl.hpp"

namespace iotsky::net {
namespace {

constexpr std::size_t kNameBytes = 16;
constexpr std::size_t kMacKeyBytes = 32;

constexpr int kFailed = -1;
constexpr int kUnknownKey = 0;  // a full handshake follows
constexpr int kOpened = 1;
constexpr int kOpenedAndRenew = 2;

std::span<const std::uint8_t> part(const TicketKeyBytes& key, std::size_t from, std::size_t n) {
    return std::span{key}.subspan(from, n);
}

bool init_mac(EVP_MAC_CTX* mac, const TicketKeyBytes& key) {
    std::array<char, 7> digest{"SHA256"};
    auto mac_key = part(key, kNameBytes, kMacKeyBytes);
    const std::array<OSSL_PARAM, 3> params{
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
                                          const_cast<std::uint8_t*>(mac_key.data()),  // only read
                                          mac_key.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_end()};
    return EVP_MAC_CTX_set_params(mac, params.data()) == 1;
}

bool named(const TicketKeyBytes& key, const unsigned char* name) {
    return std::equal(name, name + kNameBytes, key.begin());
}

}  // namespace

int ticket_key_callback(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                        EVP_MAC_CTX* mac, int encrypt) {
    const auto& context = *static_cast<const TlsContext::Impl*>(
        SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), context_index()));
    const TicketKeySet& keys = context.tickets;
    const EVP_CIPHER* const aes = context.ticket_cipher.get();
    const TicketKeyBytes* key = &keys.current;
    if (encrypt != 0) {
        std::copy_n(key->begin(), kNameBytes, name);
        const bool ready =
            RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes)) == 1 && init_mac(mac, *key) &&
            EVP_EncryptInit_ex(cipher, aes, nullptr, key->data() + kNameBytes + kMacKeyBytes, iv) ==
                1;
        return ready ? kOpened : kFailed;
    }
    if (!named(*key, name)) {
        if (!keys.previous || !named(*keys.previous, name)) {
            return kUnknownKey;
        }
        key = &*keys.previous;
    }
    const bool ready =
        init_mac(mac, *key) &&
        EVP_DecryptInit_ex(cipher, aes, nullptr, key->data() + kNameBytes + kMacKeyBytes, iv) == 1;
    if (!ready) {
        return kFailed;
    }
    // A TLS 1.3 ticket is for one connection (RFC 8446, C.4): its holder needs the next one.
    const bool used_up = SSL_version(ssl) >= TLS1_3_VERSION;
    return key == &keys.current && !used_up ? kOpened : kOpenedAndRenew;
}

}  // namespace iotsky::net
