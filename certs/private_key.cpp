#include "certs/private_key.hpp"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <utility>

#include "certs/pem.hpp"
#include "certs/private_key_ossl.hpp"
#include "certs/public_key_ossl.hpp"

namespace iotsky::certs {
namespace {

constexpr unsigned kRsaBits = 2048;
// scrypt: 16 MiB and about 40 ms a try. OpenSSL's PKCS#8 reader allows 32 MiB, so N cannot be more.
constexpr std::uint64_t kScryptN = 1U << 14U;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
constexpr int kSaltBytes = 16;

Error bad_key(std::string message, std::string why, std::string how) {
    Error error = make_error(Errc::invalid_argument, "E5231", std::move(message), std::move(why),
                             std::move(how));
    error.detail = ossl::take_errors();
    return error;
}

Error broken_key() {
    return bad_key("The private key cannot be read.",
                   "It is cut off, damaged, or not a private key in PEM form.",
                   "Give the whole file, from \"-----BEGIN\" to the end of the \"-----END\" line.");
}

Error internal(std::string message) {
    Error error = make_error(Errc::internal, "E5231", std::move(message),
                             "OpenSSL could not do it.", "See the log for OpenSSL's own words.");
    error.detail = ossl::take_errors();
    return error;
}

ossl::Pkey from_pkcs8(std::string_view der) {
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    const unsigned char* const end = in + der.size();
    const ossl::Pkcs8 info{d2i_PKCS8_PRIV_KEY_INFO(nullptr, &in, static_cast<long>(der.size()))};
    return info && in == end ? ossl::Pkey{EVP_PKCS82PKEY(info.get())} : ossl::Pkey{};
}

ossl::Pkey from_traditional(int type, std::string_view der) {
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    const unsigned char* const end = in + der.size();
    ossl::Pkey key{d2i_PrivateKey(type, nullptr, &in, static_cast<long>(der.size()))};
    return in == end ? std::move(key) : ossl::Pkey{};
}

Result<ossl::Pkey> decrypt(std::string_view der, std::string_view passphrase) {
    const auto* in = reinterpret_cast<const unsigned char*>(der.data());
    const unsigned char* const end = in + der.size();
    const ossl::Pkcs8Encrypted sealed{d2i_X509_SIG(nullptr, &in, static_cast<long>(der.size()))};
    if (!sealed || in != end) {
        return broken_key();
    }
    if (passphrase.empty()) {
        return make_error(Errc::invalid_argument, "E5207",
                          "The private key is encrypted, and there is no passphrase.",
                          "Without it nobody can use the key.",
                          "Set passphrase_file in the configuration, or give the systemd "
                          "credential iotsky-ca-passphrase.");
    }
    const ossl::Pkcs8 info{
        PKCS8_decrypt(sealed.get(), passphrase.data(), static_cast<int>(passphrase.size()))};
    if (!info) {
        Error error = make_error(Errc::invalid_argument, "E5206",
                                 "The passphrase does not open the private key.",
                                 "It is another passphrase, or the file is damaged.",
                                 "Give the passphrase that was used when the key was made, or "
                                 "restore the file from a backup.");
        error.detail = ossl::take_errors();
        return error;
    }
    return ossl::Pkey{EVP_PKCS82PKEY(info.get())};
}

Result<ossl::Pkey> decode(const PemBlock& block, std::string_view passphrase) {
    if (block.old_encryption) {
        return bad_key("The private key is encrypted in an outdated way (Proc-Type header).",
                       "That form derives its key with MD5.",
                       "Convert it: openssl pkcs8 -topk8 -scrypt -in OLD.key -out NEW.key");
    }
    const std::string_view der = block.der.view();
    if (block.label == "ENCRYPTED PRIVATE KEY") {
        return decrypt(der, passphrase);
    }
    if (block.label == "PRIVATE KEY") {
        return from_pkcs8(der);
    }
    if (block.label == "EC PRIVATE KEY") {
        return from_traditional(EVP_PKEY_EC, der);
    }
    if (block.label == "RSA PRIVATE KEY") {
        return from_traditional(EVP_PKEY_RSA, der);
    }
    return bad_key("This is not a private key but \"" + block.label.substr(0, 40) + "\".",
                   "A private key begins with \"-----BEGIN PRIVATE KEY-----\" or similar.",
                   "Give the .key file.");
}

/// Whether private and public half belong together; finds flipped bits.
bool is_consistent(EVP_PKEY& key) {
    const ossl::PkeyCtx context{EVP_PKEY_CTX_new(&key, nullptr)};
    return context && EVP_PKEY_pairwise_check(context.get()) == 1;
}

}  // namespace

std::string_view to_string(KeyType type) noexcept {
    return type == KeyType::p256 ? "p256" : "rsa2048";
}

Result<KeyType> parse_key_type(std::string_view text) {
    for (const KeyType type : {KeyType::p256, KeyType::rsa2048}) {
        if (text == to_string(type)) {
            return type;
        }
    }
    return bad_key("There is no key type of that name.", "Known are p256 and rsa2048.",
                   "Leave it out for p256, or give key_type = \"rsa2048\" for old firmware.");
}

Result<PrivateKey> PrivateKey::generate(KeyType type) {
    ossl::Pkey key{type == KeyType::p256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(kRsaBits)};
    if (!key) {
        return internal("A private key could not be made.");
    }
    PublicKey public_key = describe(*key);
    return PrivateKey{std::make_unique<Impl>(Impl{std::move(key), std::move(public_key)})};
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view text, std::string_view passphrase) {
    const auto pem = read_pem(text);
    const auto* block = std::get_if<PemBlock>(&pem);
    if (block == nullptr) {
        return broken_key();
    }
    IOTSKY_TRY(key, decode(*block, passphrase));
    if (!key || !is_consistent(*key)) {
        return broken_key();
    }
    PublicKey public_key = describe(*key);
    IOTSKY_CHECK(check_key(public_key));
    return PrivateKey{std::make_unique<Impl>(Impl{std::move(key), std::move(public_key)})};
}

PrivateKey::PrivateKey(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

const PublicKey& PrivateKey::public_key() const noexcept {
    return impl_->public_key;
}

SecretString PrivateKey::pem() const {
    const ossl::Bio bio = ossl::writer();
    PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->pkey.get(), nullptr, nullptr, 0, nullptr,
                                  nullptr);
    return ossl::secret_of(*bio);
}

SecretString PrivateKey::der() const {
    const ossl::Bio bio = ossl::writer();
    i2d_PKCS8PrivateKey_bio(bio.get(), impl_->pkey.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return ossl::secret_of(*bio);
}

Result<SecretString> PrivateKey::encrypted_pem(std::string_view passphrase) const {
    if (passphrase.empty()) {
        return make_error(Errc::invalid_argument, "E5208", "The passphrase is empty.",
                          "An empty passphrase protects nothing.", "Give one.");
    }
    const ossl::Pkcs8 info{EVP_PKEY2PKCS8(impl_->pkey.get())};
    ossl::Algorithm scheme{PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, kSaltBytes, nullptr,
                                                 kScryptN, kScryptR, kScryptP)};
    if (!info || !scheme) {
        return internal("The private key could not be encrypted.");
    }
    const ossl::Pkcs8Encrypted sealed{PKCS8_set0_pbe(
        passphrase.data(), static_cast<int>(passphrase.size()), info.get(), scheme.get())};
    if (!sealed) {
        return internal("The private key could not be encrypted.");
    }
    static_cast<void>(scheme.release());  // belongs to `sealed` now
    const ossl::Bio bio = ossl::writer();
    PEM_write_bio_PKCS8(bio.get(), sealed.get());
    return ossl::secret_of(*bio);
}

}  // namespace iotsky::certs
