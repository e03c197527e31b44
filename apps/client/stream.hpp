#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

enum class TlsVersions : std::uint8_t { both, only_1_2, only_1_3 };

/// What a TLS client checks and shows.
struct TlsClientOptions {
    std::filesystem::path ca_file;      ///< PEM; empty: the system's trusted CAs
    std::filesystem::path certificate;  ///< PEM; empty: none is shown
    std::filesystem::path key;          ///< PEM; needed with a certificate
    std::string certificate_pem;        ///< in place of both files, with key_pem
    std::string_view key_pem;           ///< outlives connect_tls()
    std::string server_name;  ///< name or address that the server's certificate must carry
    std::string alpn;         ///< one protocol; empty: none is offered
    TlsVersions versions = TlsVersions::both;
    bool short_records = false;     ///< asks for records of 512 bytes, as small devices do
    std::optional<WallTime> clock;  ///< at which dates are judged; none: the machine's
};

/// A blocking byte stream for the command line: TCP, a unix socket, or TLS over TCP. Confined to
/// one thread.
class Stream {
  public:
    /// Errors of all three: E1162, in words. `timeout` bounds the connection and each later read
    /// and write.
    [[nodiscard]] static Result<Stream> connect_tcp(const std::string& host, std::uint16_t port,
                                                    std::chrono::milliseconds timeout);
    [[nodiscard]] static Result<Stream> connect_unix(const std::filesystem::path& path,
                                                     std::chrono::milliseconds timeout);
    /// Also E1166: the TLS handshake failed, with OpenSSL's reason in words.
    [[nodiscard]] static Result<Stream> connect_tls(const std::string& host, std::uint16_t port,
                                                    std::chrono::milliseconds timeout,
                                                    const TlsClientOptions& options);

    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) noexcept;
    ~Stream();

    /// Bytes read, 0 at the end of the stream. E1167 when it broke; `Errc::unavailable` when
    /// `timeout` passed.
    [[nodiscard]] Result<std::size_t> read_some(std::span<std::byte> into);
    /// All of it. E1167 when it broke.
    [[nodiscard]] Result<void> write_all(std::span<const std::byte> bytes);
    /// Of later reads and writes.
    void set_timeout(std::chrono::milliseconds timeout);

  private:
    struct Impl;
    explicit Stream(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

}  // namespace iotsky::apps
