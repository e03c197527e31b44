#include "certs/key_store.hpp"

#include <system_error>
#include <utility>

namespace iotsky::certs {
namespace {

namespace fs = std::filesystem;

/// The same error, with the file in front: the reader must know which of eight keys is meant.
Error in_file(const fs::path& path, Error error) {
    error.message = path.string() + ": " + error.message;
    return error;
}

/// What we write ends with a line end; without it the last bytes never reached the disk.
Result<void> check_whole(const fs::path& path, std::string_view text) {
    return text.ends_with('\n') ? Result<void>{}
                                : damaged_file(path, "Its end is missing: it is half-written.");
}

}  // namespace

KeyStore::KeyStore(fs::path folder, std::optional<SecretString> passphrase)
    : folder_(std::move(folder)), passphrase_(std::move(passphrase)) {}

fs::path KeyStore::key_path(std::string_view name) const {
    return folder_ / (std::string{name} + ".key");
}

fs::path KeyStore::certificate_path(std::string_view name) const {
    return folder_ / (std::string{name} + ".crt");
}

bool KeyStore::has_key(std::string_view name) const {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(key_path(name), ignored));
}

Result<KeyStore::LoadedKey> KeyStore::load_key(std::string_view name) const {
    const fs::path path = key_path(name);
    IOTSKY_TRY(text, read_file(path, FileKind::secret));
    IOTSKY_CHECK(check_whole(path, text.view()));
    const bool encrypted = text.view().find("ENCRYPTED") != std::string_view::npos;
    auto key = PrivateKey::from_pem(text.view(), passphrase_ ? passphrase_->view() : "");
    if (!key && key.error().number == "E5231") {
        Error error = damaged_file(path, key.error().message + " " + key.error().why);
        error.detail = key.error().detail;
        return error;
    }
    if (!key) {
        return in_file(path, std::move(key).error());
    }
    return LoadedKey{std::move(*key), encrypted};
}

Result<Certificate> KeyStore::load_certificate(std::string_view name) const {
    const fs::path path = certificate_path(name);
    IOTSKY_TRY(text, read_file(path, FileKind::public_text));
    IOTSKY_CHECK(check_whole(path, text.view()));
    auto certificate = Certificate::parse(text.view());
    if (!certificate) {
        return damaged_file(path, certificate.error().why);
    }
    return certificate;
}

Result<void> KeyStore::save_key(std::string_view name, const PrivateKey& key,
                                IfExists if_exists) const {
    if (!passphrase_) {
        return write_file(key_path(name), key.pem().view(), FileKind::secret, if_exists);
    }
    IOTSKY_TRY(sealed, key.encrypted_pem(passphrase_->view()));
    return write_file(key_path(name), sealed.view(), FileKind::secret, if_exists);
}

Result<void> KeyStore::save_certificate(std::string_view name, const Certificate& cert,
                                        IfExists if_exists) const {
    return write_file(certificate_path(name), cert.pem(), FileKind::public_text, if_exists);
}

Result<void> KeyStore::delete_key(std::string_view name) const {
    return erase_file(key_path(name));
}

}  // namespace iotsky::certs
