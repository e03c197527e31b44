#pragma once

#include <functional>
#include <string>

#include "api/request.hpp"

namespace iotsky::api {

/// An answer. The server adds the headers that every answer carries.
struct Response {
    unsigned status = 200;
    std::string content_type = "application/json";
    std::string body;
    Pairs headers;        ///< Location, ETag, Retry-After, Content-Disposition ...
    bool secret = false;  ///< Holds a private key or a token: the body is wiped after it was sent.
    /// A long poll found nothing: the server asks the handler again until `wait` is over.
    bool nothing_yet = false;
    /// Told once, on a work thread: whether the operating system took all bytes.
    std::function<void(bool whole)> delivered;
};

}  // namespace iotsky::api
