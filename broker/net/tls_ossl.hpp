#pragma once

// Internal to broker/net: included by .cpp files and adapter-internal headers only.

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <string>

#include "base/c_handle.hpp"

namespace iotsky::net::ossl {

template <typename T, auto Free>
using Ptr = CHandle<T, Free>;

using BioPtr = Ptr<BIO, BIO_free>;
using SslPtr = Ptr<SSL, SSL_free>;
using SslCtxPtr = Ptr<SSL_CTX, SSL_CTX_free>;
using X509Ptr = Ptr<X509, X509_free>;
using KeyPtr = Ptr<EVP_PKEY, EVP_PKEY_free>;
using CipherPtr = Ptr<EVP_CIPHER, EVP_CIPHER_free>;

/// Text of this thread's OpenSSL error queue, oldest first; empties it.
[[nodiscard]] std::string take_errors();
[[nodiscard]] std::string to_der(X509& certificate);
/// The subject's common name in UTF-8; empty if there is none.
[[nodiscard]] std::string common_name(const X509& certificate);
/// DNS names and addresses of the certificate for people: "iotsky.local, 10.20.0.5", at most six.
[[nodiscard]] std::string names_for_people(X509& certificate);

}  // namespace iotsky::net::ossl
