#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace small_tls {

/// What both clients are told. The clock is the client's own: 30 is a board half a minute after
/// power-on, without a battery and without the network's time.
struct Options {
    std::string host = "127.0.0.1";  ///< Address to connect to.
    std::string port;
    std::string name;  ///< Name to verify: DNS name or address, as a sketch would give it.
    std::string ca_file;
    std::string certificate_file;  ///< Empty: no client certificate.
    std::string key_file;          ///< PKCS#8.
    std::int64_t clock_unix_s = 30;
    std::string client_id = "small";
    bool small_records = false;  ///< Ask for records of 512 (BearSSL) or 1,024 bytes (Mbed TLS).
};

/// `--host --port --name --ca --cert --key --clock --client-id --small-records`; ends the process
/// with 2 and a usage line for anything else.
[[nodiscard]] Options parse_options(int argc, char** argv);

/// A connected socket with a time limit of 10 s on each call; ends the process with 2 on failure.
[[nodiscard]] int connect_to(const Options& options);

/// The whole file, with a zero byte behind it; ends the process with 2 if it cannot be read.
[[nodiscard]] std::vector<unsigned char> read_file(const std::string& path);

/// An MQTT 3.1.1 CONNECT with Clean Session and Keep Alive 30.
[[nodiscard]] std::vector<unsigned char> connect_packet(const std::string& client_id);

/// The verdict on four bytes of CONNACK: prints "ok LIBRARY VERSION", exit status 0, or "refused
/// ...", 1.
[[nodiscard]] int judge_connack(const std::vector<unsigned char>& connack,
                                const std::string& words);

/// Prints "refused WHY"; 1.
[[nodiscard]] int refused(const std::string& why);

}  // namespace small_tls
