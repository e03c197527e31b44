#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/caller.hpp"
#include "api/request.hpp"
#include "api/response.hpp"
#include "api/route.hpp"
#include "api/router.hpp"
#include "api/token_guard.hpp"

namespace iotsky::api {

/// The head of a request as it came; views into the parser's memory.
struct Head {
    std::string_view method;
    std::string_view target;
    std::string_view host;
    std::string_view origin;
    std::string_view sec_fetch_site;
    std::string_view content_type;
    std::string_view authorization;
    std::string_view if_match;
    std::string_view idempotency_key;
    std::string_view request_id;
    std::size_t hosts = 1;  ///< Number of Host lines.
    bool has_body = false;
};

struct DispatcherOptions {
    std::vector<std::string> host_names;  ///< Lower case, beside localhost and loopback addresses.
    std::size_t json_bytes_max = std::size_t{1024} * 1024;
    std::size_t csv_bytes_max = std::size_t{5} * 1024 * 1024;
};

/// What came of a head: a request to read on, or the answer at once.
struct Admission {
    Request request;
    std::optional<Response> refusal;
    std::size_t body_bytes_max = 0;
};

/// From a request to its answer, without a socket. Constant but for the memory of wrong tokens that
/// it shares; thread: any.
class Dispatcher {
  public:
    /// All must outlive the dispatcher.
    Dispatcher(std::span<const Route> table, Services& services, TokenLookup token_lookup,
               TokenGuard& guard, DispatcherOptions options);

    /// Checks that need nothing but the head: Host, Origin, route, query, type, whether there are
    /// credentials at all, and whether the peer has to wait after wrong ones (429, E4119). Does not
    /// block.
    [[nodiscard]] Admission admit(const Head& head, const Peer& peer) const;

    /// Finds the caller, checks the rank, runs the handler. Every error and exception becomes a
    /// problem answer. Thread: work; blocks.
    [[nodiscard]] Response serve(Request& request) const;

    [[nodiscard]] std::span<const Route> table() const noexcept { return router_.table(); }

  private:
    [[nodiscard]] Result<void> check_head(const Head& head, Request& request) const;
    [[nodiscard]] std::optional<Response> hold_up(const Request& request) const;
    [[nodiscard]] Result<Caller> look_up(const Request& request, std::string_view token) const;
    [[nodiscard]] Result<void> authenticate(Request& request) const;

    Router router_;
    Services& services_;
    TokenLookup token_lookup_;
    DispatcherOptions options_;
    TokenGuard& guard_;
};

}  // namespace iotsky::api
