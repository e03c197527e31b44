#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "apps/cli/session.hpp"
#include "base/error.hpp"

/// Calls of the API with JSON in and out (docs/http-api.md).
namespace iotsky::apps::cli {

using Query = std::vector<std::pair<std::string, std::string>>;

/// Percent-encodes everything but unreserved characters: one segment of a path, or a query value.
[[nodiscard]] std::string encode(std::string_view text);
/// "/api/v1" + path + "?a=b"; values are encoded, pairs with an empty value left out.
[[nodiscard]] std::string target(std::string_view path, const Query& query = {});

/// Turns a problem+json answer into an error; the kind follows the status. Thread: any (pure).
[[nodiscard]] Error to_error(const HttpResponse& response);

/// The API of the broker that the session names. Confined to the main thread.
class Api {
  public:
    explicit Api(ServerAddress server) : server_(std::move(server)) {}
    /// Errors: those of Session::server.
    [[nodiscard]] static Result<Api> of(const Session& session);

    /// Answers with a 2xx status; others become errors. An empty body is null.
    [[nodiscard]] Result<boost::json::value> call(const std::string& method,
                                                  const std::string& target,
                                                  const boost::json::value& body = nullptr) const;
    /// The body as it is (zip, PEM, text).
    [[nodiscard]] Result<std::string> raw(const HttpRequest& request) const;
    /// All pages of a list.
    [[nodiscard]] Result<boost::json::array> list(std::string_view path, Query query = {}) const;

    [[nodiscard]] const ServerAddress& server() const noexcept { return server_; }

  private:
    ServerAddress server_;
};

}  // namespace iotsky::apps::cli
