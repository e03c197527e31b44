#include "api/dispatcher.hpp"

#include <exception>

#include "api/error_map.hpp"
#include "api/errors.hpp"
#include "api/guard.hpp"
#include "api/services.hpp"
#include "base/id.hpp"
#include "base/log.hpp"
#include "base/random.hpp"

namespace iotsky::api {
namespace {

constexpr std::string_view kBearer = "Bearer ";

std::string make_request_id() {
    SystemRandom random;
    return Id::random(random).format("rq");
}

bool is_open(const Request& request) {
    const Door door = request.route->door;
    return door == Door::open || (door == Door::local_open && request.peer.local);
}

/// Whether the peer could be anybody with rights, before the token is looked up.
Result<void> check_credentials(const Request& request) {
    if (request.route->door == Door::unix_only && !request.peer.unix_socket) {
        return unix_socket_only();
    }
    if (is_open(request) || request.peer.trusted || !request.authorization.empty()) {
        return {};
    }
    return request.peer.unix_socket ? unix_peer_refused() : no_credentials();
}

/// None when the request brings no bearer token.
std::optional<std::string_view> token_of(const Request& request) {
    const std::string_view text = request.authorization;
    return text.starts_with(kBearer) ? std::optional{text.substr(kBearer.size())} : std::nullopt;
}

/// Without the port; of a unix peer its account.
std::string address_of(const Peer& peer) {
    return peer.unix_socket ? peer.address : peer.address.substr(0, peer.address.rfind(':'));
}

void log_own_fault(const Request& request, const Error& error) {
    const Errc code = error.code;
    if (code == Errc::internal || code == Errc::io || code == Errc::corrupt) {
        log::error(error.number, "request failed",
                   {{"req", request.request_id}, {"path", request.path}, {"why", error.detail}});
    }
}

}  // namespace

Dispatcher::Dispatcher(std::span<const Route> table, Services& services, TokenLookup token_lookup,
                       TokenGuard& guard, DispatcherOptions options)
    : router_(table),
      services_(services),
      token_lookup_(std::move(token_lookup)),
      options_(std::move(options)),
      guard_(guard) {}

Admission Dispatcher::admit(const Head& head, const Peer& peer) const {
    Admission out;
    Request& request = out.request;
    request.peer = peer;
    request.request_id =
        is_valid_request_id(head.request_id) ? std::string{head.request_id} : make_request_id();
    request.content_type = head.content_type;
    request.authorization = head.authorization;
    request.if_match = head.if_match;
    request.idempotency_key = head.idempotency_key;
    if (auto checked = check_head(head, request); !checked) {
        out.refusal = problem(checked.error(), request);
        if (out.refusal->status == 405) {
            out.refusal->headers.emplace_back("Allow", router_.allowed(request.path));
        }
        return out;
    }
    out.refusal = hold_up(request);
    out.body_bytes_max =
        request.route->body == BodyKind::csv ? options_.csv_bytes_max : options_.json_bytes_max;
    return out;
}

Result<void> Dispatcher::check_head(const Head& head, Request& request) const {
    IOTSKY_TRY(target, parse_target(head.target));
    request.path = target.path;
    request.query = std::move(target.query);
    if (head.hosts != 1) {
        return not_http("It needs exactly one Host header.");
    }
    const Peer& peer = request.peer;
    IOTSKY_CHECK(check_host(head.host, options_.host_names, peer.own_address));
    IOTSKY_CHECK(check_origin({head.host, head.origin, head.sec_fetch_site, peer.tls}));
    IOTSKY_TRY(match, router_.find(head.method, request.path));
    request.method = match.route->method;
    request.route = match.route;
    request.params = std::move(match.params);
    IOTSKY_CHECK(check_query(match.route->query, request.query));
    IOTSKY_CHECK(check_content_type(match.route->body, head.content_type, head.has_body));
    return check_credentials(request);
}

/// The answer to an address that sent too many wrong tokens; none when it may go on.
std::optional<Response> Dispatcher::hold_up(const Request& request) const {
    const auto token = token_of(request);
    const std::string address = address_of(request.peer);
    const auto wait = token ? guard_.wait_of(address, *token) : std::chrono::seconds{0};
    if (wait.count() == 0) {
        return std::nullopt;
    }
    Response answer = problem(too_many_wrong_tokens(address, wait), request);
    answer.headers.emplace_back("Retry-After", std::to_string(wait.count()));
    return answer;
}

Result<Caller> Dispatcher::look_up(const Request& request, std::string_view token) const {
    auto caller = token_lookup_(token);
    if (caller) {
        guard_.note_right(token);
    } else if (caller.error().code == Errc::unauthenticated) {
        const std::string address = address_of(request.peer);
        const auto wait = guard_.note_wrong(address, token);
        if (wait.count() > 0) {
            log::warn("E4119", "too many wrong tokens",
                      {{"addr", address}, {"wait_s", wait.count()}, {"req", request.request_id}});
        }
    }
    return caller;
}

Result<void> Dispatcher::authenticate(Request& request) const {
    if (!request.authorization.empty()) {
        const auto token = token_of(request);
        if (!token) {
            return no_credentials();
        }
        IOTSKY_TRY(caller, look_up(request, *token));
        request.caller = std::move(caller);
    } else if (request.peer.trusted) {
        request.caller = Caller{Role::admin, "unix:" + request.peer.account, {}, {}};
    }
    const Rank rank = rank_of(request.caller.role);
    if (is_open(request) || rank >= request.route->needs) {
        return {};
    }
    return rank_too_low(rank, request.route->needs);
}

Response Dispatcher::serve(Request& request) const {
    try {
        if (auto known = authenticate(request); !known) {
            log_own_fault(request, known.error());
            return problem(known.error(), request);
        }
        auto answer = request.route->handler(services_, request);
        if (answer) {
            return std::move(*answer);
        }
        log_own_fault(request, answer.error());
        return problem(answer.error(), request);
    } catch (const std::exception& exception) {
        const Error error = own_fault(exception.what());
        log_own_fault(request, error);
        return problem(error, request);
    }
}

}  // namespace iotsky::api
