#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace iotsky::load {

enum class Scenario { pairs, fanout, fanin, connect };

/// One run, as the command line asks for it.
struct Options {
    Scenario scenario = Scenario::pairs;
    std::string scenario_name = "pairs";
    std::string host = "127.0.0.1";  ///< IPv4 address
    std::uint16_t port = 0;
    std::string ca_file;    ///< empty: plain TCP
    std::string cert_file;  ///< with key_file: mutual TLS, all clients with this one
    std::string key_file;
    std::string
        identities;  ///< folder of folders with device.crt and device.key, one a client in turn
    std::string tls_version;  ///< "1.2", "1.3", or empty: what both sides like best
    std::string topic = "bench";
    int qos = 0;
    std::size_t payload_bytes = 64;  ///< at least 24: who, number, time
    std::size_t clients =
        10;  ///< pairs; subscribers of a fanout; publishers of a fanin; connections
    std::size_t window =
        32;           ///< closed loop: messages of a publisher on the way; connect: at a time
    double rate = 0;  ///< open loop: messages a second of all publishers; 0: closed loop
    double seconds = 5;
    double warmup_s = 1;
    double hold_s = 0;        ///< connect: time to hold all connections before memory is read
    bool persistent = false;  ///< Clean Session 0
    bool resume = false;      ///< connect: resume the TLS session of a first connection
    int pid = 0;              ///< of the broker, for CPU time and memory; 0: not measured
};

/// Throws std::invalid_argument with a sentence about the first wrong argument.
[[nodiscard]] Options parse_options(const std::vector<std::string>& args);

/// Help in one screen.
extern const char* const kUsage;

}  // namespace iotsky::load
