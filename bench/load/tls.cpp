#include "bench/load/tls.hpp"

#include <openssl/err.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace iotsky::load {
namespace {

void need(long result, const std::string& what) {
    if (result != 1) {
        std::string text(256, '\0');
        ERR_error_string_n(ERR_get_error(), text.data(), text.size());
        throw std::runtime_error(what + ": " + text.c_str());
    }
}

ContextPtr make_context(const Options& options, const std::string& cert, const std::string& key) {
    ContextPtr context{SSL_CTX_new(TLS_client_method())};
    need(context ? 1 : 0, "TLS");
    SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                        SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    need(SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr),
         options.ca_file);
    if (!cert.empty()) {
        need(SSL_CTX_use_certificate_chain_file(context.get(), cert.c_str()), cert);
        need(SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM), key);
    }
    if (!options.tls_version.empty()) {
        const int version = options.tls_version == "1.2" ? TLS1_2_VERSION : TLS1_3_VERSION;
        need(SSL_CTX_set_min_proto_version(context.get(), version), "--tls");
        need(SSL_CTX_set_max_proto_version(context.get(), version), "--tls");
    }
    return context;
}

std::vector<std::filesystem::path> folders_in(const std::string& path) {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator{path}) {
        if (std::filesystem::exists(entry.path() / "device.crt")) {
            found.push_back(entry.path());
        }
    }
    if (found.empty()) {
        throw std::runtime_error(path + " holds no folder with device.crt");
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace

Tls::Tls(const Options& options) {
    if (options.ca_file.empty()) {
        return;
    }
    if (options.identities.empty()) {
        contexts_.push_back(make_context(options, options.cert_file, options.key_file));
        return;
    }
    for (const auto& folder : folders_in(options.identities)) {
        contexts_.push_back(make_context(options, (folder / "device.crt").string(),
                                         (folder / "device.key").string()));
    }
}

}  // namespace iotsky::load
