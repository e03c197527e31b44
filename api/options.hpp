#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "api/token_guard.hpp"

namespace iotsky::api {

enum class ListenerProtocol : std::uint8_t { unix_socket, http };

struct ListenerOptions {
    std::string name;  ///< As in the configuration, for logs and endpoints.json.
    ListenerProtocol protocol = ListenerProtocol::http;
    std::string host = "127.0.0.1";  ///< http: an address; loopback only (E4123).
    std::uint16_t port = 0;          ///< http: 0 = any free one.
    std::filesystem::path path;      ///< unix_socket: at most 107 bytes.
};

struct ServerOptions {
    std::vector<ListenerOptions> listeners;
    /// Names under which requests may come, beside localhost and loopback addresses; lower case.
    std::vector<std::string> host_names;
    /// Members of this group are admin on the unix socket.
    std::string unix_group = "iotsky";
    std::size_t header_bytes_max = std::size_t{16} * 1024;
    std::size_t json_bytes_max = std::size_t{1024} * 1024;
    std::size_t csv_bytes_max = std::size_t{5} * 1024 * 1024;
    /// Open connections of one listener; more get 503. 1 or more.
    std::size_t connections_max = 64;
    /// A request must arrive whole within this, from its first byte on.
    std::chrono::milliseconds request_time_max{10'000};
    /// An answer must be taken whole within this.
    std::chrono::milliseconds answer_time_max{10'000};
    /// A connection without a request is closed after this.
    std::chrono::milliseconds idle_time_max{60'000};
    /// Threads that run handlers, 1 to 64.
    std::size_t work_threads = 2;
    /// Requests that wait for one of them; more get 503.
    std::size_t work_waiting_max = 64;
    TokenGuardOptions tokens;
};

}  // namespace iotsky::api
