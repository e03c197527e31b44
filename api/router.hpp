#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/route.hpp"

namespace iotsky::api {

/// A request's row and the values of its pattern's names.
struct Match {
    const Route* route = nullptr;
    Pairs params;
};

/// Finds rows of the table. Immutable; thread: any.
class Router {
  public:
    /// `table` must outlive the router. Rows are tried in their order.
    explicit Router(std::span<const Route> table);

    /// `path` as sent, percent-encoded, without the query. Errors: E4105; E4106 when the path
    /// exists for other methods.
    [[nodiscard]] Result<Match> find(std::string_view method, std::string_view path) const;
    /// Methods of a path as the Allow header lists them; empty: no such path.
    [[nodiscard]] std::string allowed(std::string_view path) const;
    [[nodiscard]] std::span<const Route> table() const noexcept { return table_; }

  private:
    std::span<const Route> table_;
    std::vector<std::vector<std::string_view>> patterns_;  ///< Segments, beside `table_`.
};

/// Splits a request target into path and decoded query. Error: E4124 when it is no origin form or
/// holds a wrong escape or control character.
struct Target {
    std::string path;  ///< Still percent-encoded.
    Pairs query;
};
[[nodiscard]] Result<Target> parse_target(std::string_view target);

/// Checks a query against a route's table: no unknown names, numbers in their range, flags true or
/// false. Error: E4121.
[[nodiscard]] Result<void> check_query(std::span<const QueryField> fields, const Pairs& query);

}  // namespace iotsky::api
