#include "apps/client/stream.hpp"

#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

#include "apps/config/config.hpp"
#include "base/c_handle.hpp"
#include "base/errno_text.hpp"
#include "base/host.hpp"
#include "base/unique_fd.hpp"

namespace iotsky::apps {
namespace {

using SslContext = CHandle<SSL_CTX, SSL_CTX_free>;
using Ssl = CHandle<SSL, SSL_free>;

Error unreachable(const std::string& where, const std::string& reason) {
    return make_error(
        Errc::unavailable, "E1162", "Nothing answers at " + where + ".", reason + ".",
        "Start the broker (iotsky serve --data DIR), or name it with --data DIR or --server URL.");
}

Error broken(const std::string& reason) {
    return make_error(Errc::io, "E1167", "The connection broke.", reason + ".",
                      "Try again; `iotsky status` tells "
                      "whether the broker is up.");
}

Error timed_out() {
    return make_error(Errc::unavailable, "E1167", "No answer came in time.",
                      "The broker is busy or stuck.",
                      "Try again; `iotsky status` tells how it is.");
}

void set_socket_timeout(int fd, std::chrono::milliseconds timeout) {
    timeval value{};
    value.tv_sec = timeout.count() / 1000;
    value.tv_usec = timeout.count() % 1000 * 1000;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &value, sizeof value);
}

Result<UniqueFd> connect_to(const std::string& where, int family, const sockaddr* address,
                            socklen_t length, std::chrono::milliseconds timeout) {
    UniqueFd socket{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (!socket) {
        return unreachable(where, errno_text(errno));
    }
    set_socket_timeout(socket.get(), timeout);  // SO_SNDTIMEO bounds connect() too
    if (::connect(socket.get(), address, length) != 0) {
        return unreachable(where,
                           errno == EINPROGRESS ? "it did not answer in time" : errno_text(errno));
    }
    return socket;
}

Result<UniqueFd> connect_host(const std::string& host, std::uint16_t port,
                              std::chrono::milliseconds timeout) {
    const std::string where = format_endpoint({host, port});
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int fault = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (fault != 0) {
        return unreachable(where, std::string{"the name is not known: "} + ::gai_strerror(fault));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list{found, &::freeaddrinfo};
    Result<UniqueFd> last = unreachable(where, "it has no address");
    for (const addrinfo* item = list.get(); item != nullptr; item = item->ai_next) {
        last = connect_to(where, item->ai_family, item->ai_addr, item->ai_addrlen, timeout);
        if (last) {
            const int on = 1;
            ::setsockopt(last->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            return last;
        }
    }
    return last;
}

/// The oldest error of OpenSSL's queue, in words; empties the queue.
std::string openssl_reason() {
    const unsigned long code = ERR_get_error();
    ERR_clear_error();
    const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    return reason == nullptr ? "the other side closed the connection" : reason;
}

Error tls_failed(const std::string& where, const std::string& reason) {
    return make_error(
        Errc::unauthenticated, "E1166", "The TLS handshake with " + where + " failed.",
        reason + ".",
        "Check the CA file, the device certificate and the name; the broker's side is in `iotsky "
        "status` and its log.");
}

CHandle<BIO, BIO_free> reader(std::string_view pem) {
    return CHandle<BIO, BIO_free>{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

/// Certificate and key that were given as text.
bool use_identity(SSL_CTX* context, const TlsClientOptions& options) {
    const CHandle<X509, X509_free> certificate{
        PEM_read_bio_X509(reader(options.certificate_pem).get(), nullptr, nullptr, nullptr)};
    const CHandle<EVP_PKEY, EVP_PKEY_free> key{
        PEM_read_bio_PrivateKey(reader(options.key_pem).get(), nullptr, nullptr, nullptr)};
    return certificate && key && SSL_CTX_use_certificate(context, certificate.get()) == 1 &&
           SSL_CTX_use_PrivateKey(context, key.get()) == 1;
}

Result<SslContext> make_context(const TlsClientOptions& options) {
    SslContext context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const int trusted =
        options.ca_file.empty()
            ? SSL_CTX_set_default_verify_paths(context.get())
            : SSL_CTX_load_verify_locations(context.get(), options.ca_file.c_str(), nullptr);
    if (trusted != 1) {
        return tls_failed(options.ca_file.string(),
                          "the CA file cannot be used: " + openssl_reason());
    }
    if (options.versions != TlsVersions::both) {
        const int only =
            options.versions == TlsVersions::only_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
        SSL_CTX_set_min_proto_version(context.get(), only);
        SSL_CTX_set_max_proto_version(context.get(), only);
    }
    if (!options.certificate_pem.empty()) {
        if (!use_identity(context.get(), options)) {
            return tls_failed("the broker", "the certificate cannot be used: " + openssl_reason());
        }
        return context;
    }
    if (options.certificate.empty()) {
        return context;
    }
    if (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) != 1) {
        return tls_failed(options.certificate.string(),
                          "the certificate cannot be used: " + openssl_reason());
    }
    if (SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return tls_failed(options.key.string(), "the key cannot be used: " + openssl_reason());
    }
    return context;
}

void expect_name(SSL* ssl, const std::string& name) {
    if (is_address(name)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str());
    } else {
        SSL_set1_host(ssl, name.c_str());
        // The macro SSL_set_tlsext_host_name is this call with a C cast; OpenSSL copies the name.
        SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                 const_cast<char*>(name.c_str()));
    }
}

}  // namespace

struct Stream::Impl {
    UniqueFd socket;
    SslContext context;
    Ssl ssl;
};

Stream::Stream(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

Stream::~Stream() {
    if (impl_ && impl_->ssl) {
        SSL_shutdown(impl_->ssl.get());
    }
}

Result<Stream> Stream::connect_tcp(const std::string& host, std::uint16_t port,
                                   std::chrono::milliseconds timeout) {
    IOTSKY_TRY(socket, connect_host(host, port, timeout));
    return Stream{std::make_unique<Impl>(Impl{std::move(socket), nullptr, nullptr})};
}

Result<Stream> Stream::connect_unix(const std::filesystem::path& path,
                                    std::chrono::milliseconds timeout) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string text = path.string();
    if (text.size() >= sizeof address.sun_path) {
        return unreachable(text, "a socket's path has at most 107 bytes");
    }
    std::copy(text.begin(), text.end(), address.sun_path);
    // sockaddr_un to sockaddr is how the socket interface is meant to be called.
    IOTSKY_TRY(socket, connect_to(text, AF_UNIX, reinterpret_cast<const sockaddr*>(&address),
                                  sizeof address, timeout));
    return Stream{std::make_unique<Impl>(Impl{std::move(socket), nullptr, nullptr})};
}

Result<Stream> Stream::connect_tls(const std::string& host, std::uint16_t port,
                                   std::chrono::milliseconds timeout,
                                   const TlsClientOptions& options) {
    // A peer that closes while OpenSSL writes must not end the process.
    std::signal(SIGPIPE, SIG_IGN);
    IOTSKY_TRY(context, make_context(options));
    IOTSKY_TRY(socket, connect_host(host, port, timeout));
    Ssl ssl{SSL_new(context.get())};
    SSL_set_fd(ssl.get(), socket.get());
    expect_name(ssl.get(), options.server_name.empty() ? host : options.server_name);
    if (options.short_records) {
        SSL_set_tlsext_max_fragment_length(ssl.get(), TLSEXT_max_fragment_length_512);
    }
    if (options.clock) {
        X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl.get()), to_unix_s(*options.clock));
    }
    if (!options.alpn.empty()) {
        const std::string wire = static_cast<char>(options.alpn.size()) + options.alpn;
        SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(wire.data()),
                            static_cast<unsigned>(wire.size()));
    }
    if (SSL_connect(ssl.get()) != 1) {
        const long verify = SSL_get_verify_result(ssl.get());
        const std::string reason = openssl_reason();
        return tls_failed(format_endpoint({host, port}),
                          verify == X509_V_OK ? reason : X509_verify_cert_error_string(verify));
    }
    return Stream{
        std::make_unique<Impl>(Impl{std::move(socket), std::move(context), std::move(ssl)})};
}

Result<std::size_t> Stream::read_some(std::span<std::byte> into) {
    if (impl_->ssl) {
        const int count = SSL_read(impl_->ssl.get(), into.data(),
                                   static_cast<int>(std::min(into.size(), std::size_t{1} << 20U)));
        if (count > 0) {
            return static_cast<std::size_t>(count);
        }
        const int fault = SSL_get_error(impl_->ssl.get(), count);
        if (fault == SSL_ERROR_ZERO_RETURN) {
            return std::size_t{0};
        }
        if (fault == SSL_ERROR_WANT_READ || (fault == SSL_ERROR_SYSCALL && errno == EAGAIN)) {
            return timed_out();
        }
        return broken(openssl_reason());
    }
    while (true) {
        const ssize_t count = ::recv(impl_->socket.get(), into.data(), into.size(), 0);
        if (count >= 0) {
            return static_cast<std::size_t>(count);
        }
        if (errno != EINTR) {
            return errno == EAGAIN ? timed_out() : broken(errno_text(errno));
        }
    }
}

Result<void> Stream::write_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        ssize_t count = 0;
        if (impl_->ssl) {
            count = SSL_write(impl_->ssl.get(), bytes.data(),
                              static_cast<int>(std::min(bytes.size(), std::size_t{1} << 20U)));
            if (count <= 0) {
                return broken(openssl_reason());
            }
        } else {
            count = ::send(impl_->socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (count < 0 && errno == EINTR) {
                continue;
            }
            if (count < 0) {
                return errno == EAGAIN ? timed_out() : broken(errno_text(errno));
            }
        }
        bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    return {};
}

void Stream::set_timeout(std::chrono::milliseconds timeout) {
    set_socket_timeout(impl_->socket.get(), timeout);
}

}  // namespace iotsky::apps
