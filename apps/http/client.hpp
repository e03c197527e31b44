#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/secret.hpp"

/// The API's client for the command line: blocking, one connection a request.
namespace iotsky::apps {

/// Where the API is and how to prove who asks.
struct ServerAddress {
    enum class Kind : unsigned char { unix_socket, http, https };
    Kind kind = Kind::unix_socket;
    std::filesystem::path socket;  ///< unix_socket
    std::string host;              ///< http, https
    std::uint16_t port = 0;
    std::filesystem::path ca_file;  ///< https; empty: the system's CAs
    std::string token;              ///< "iot_..."; empty: none is sent

    /// For messages: "unix:/run/iotsky/admin.sock", "http://127.0.0.1:9880".
    [[nodiscard]] std::string text() const;
};

/// "http://host[:port]", "https://host[:port]", "unix:PATH" or an absolute path. Error: E1168.
[[nodiscard]] Result<ServerAddress> parse_server(std::string_view text);

struct HttpRequest {
    std::string method = "GET";
    std::string target;  ///< "/api/v1/status"
    std::string body;
    std::string content_type = "application/json";  ///< sent when there is a body
    std::map<std::string, std::string> headers;
    std::chrono::milliseconds timeout{120'000};  ///< for the answer
};

struct HttpResponse {
    unsigned status = 0;
    std::string content_type;
    std::string body;
};

/// One request. Errors: E1162 nothing answers, E1166 TLS, E1167 broke or too slow, E1169 not HTTP
/// as we know it. An answer of any status is a success here.
[[nodiscard]] Result<HttpResponse> send(const ServerAddress& server, const HttpRequest& request);

}  // namespace iotsky::apps
