#include "tests/system/small_tls/bearssl_identity.hpp"

#include <cstdio>
#include <cstdlib>

#include "tests/system/small_tls/small_client.hpp"

namespace small_tls {
namespace {

[[noreturn]] void give_up(const char* why) {
    std::fprintf(stderr, "%s\n", why);
    std::exit(2);
}

void append(void* context, const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    static_cast<Bytes*>(context)->insert(static_cast<Bytes*>(context)->end(), bytes, bytes + size);
}

}  // namespace

std::vector<Bytes> read_pem_file(const std::string& path) {
    Bytes text = read_file(path);
    text.pop_back();
    std::vector<Bytes> blocks;
    Bytes block;
    br_pem_decoder_context decoder;
    br_pem_decoder_init(&decoder);
    for (std::size_t at = 0; at < text.size();) {
        at += br_pem_decoder_push(&decoder, text.data() + at, text.size() - at);
        switch (br_pem_decoder_event(&decoder)) {
            case BR_PEM_BEGIN_OBJ:
                block.clear();
                br_pem_decoder_setdest(&decoder, append, &block);
                break;
            case BR_PEM_END_OBJ:
                blocks.push_back(block);
                break;
            case BR_PEM_ERROR:
                give_up("damaged PEM file");
            default:
                break;
        }
    }
    return blocks;
}

TrustAnchor::TrustAnchor(const Bytes& der) {
    br_x509_decoder_context decoder;
    br_x509_decoder_init(&decoder, append, &name_);
    br_x509_decoder_push(&decoder, der.data(), der.size());
    const br_x509_pkey* key = br_x509_decoder_get_pkey(&decoder);
    if (key == nullptr || key->key_type != BR_KEYTYPE_EC) {
        give_up("the CA file is no certificate with an EC key");
    }
    point_.assign(key->key.ec.q, key->key.ec.q + key->key.ec.qlen);
    anchor_.dn = {name_.data(), name_.size()};
    anchor_.flags = br_x509_decoder_isCA(&decoder) != 0 ? BR_X509_TA_CA : 0U;
    anchor_.pkey.key_type = BR_KEYTYPE_EC;
    anchor_.pkey.key.ec = {key->key.ec.curve, point_.data(), point_.size()};
}

DeviceIdentity::DeviceIdentity(const std::string& certificate_file, const std::string& key_file)
    : blocks_(read_pem_file(certificate_file)) {
    const std::vector<Bytes> keys = read_pem_file(key_file);
    if (blocks_.empty() || keys.size() != 1) {
        give_up("certificate or key is missing");
    }
    certificate_ = {blocks_[0].data(), blocks_[0].size()};
    key_der_ = keys[0];
    br_skey_decoder_init(&key_);
    br_skey_decoder_push(&key_, key_der_.data(), key_der_.size());
    if (br_skey_decoder_last_error(&key_) != 0) {
        give_up("the key cannot be read");
    }
}

void DeviceIdentity::use(br_ssl_client_context& client) const {
    if (br_skey_decoder_key_type(&key_) == BR_KEYTYPE_EC) {
        br_ssl_client_set_single_ec(&client, &certificate_, 1, br_skey_decoder_get_ec(&key_),
                                    BR_KEYTYPE_SIGN, BR_KEYTYPE_EC, br_ec_get_default(),
                                    br_ecdsa_sign_asn1_get_default());
    } else {
        br_ssl_client_set_single_rsa(&client, &certificate_, 1, br_skey_decoder_get_rsa(&key_),
                                     br_rsa_pkcs1_sign_get_default());
    }
}

}  // namespace small_tls
