// Input: one byte that chooses the peer, then bytes as they come in on a connection of the API:
// requests, one behind the other. They go the way of api/session, through the real table up to the
// handlers, which read the body and do nothing.
// Promises: never a crash; each answer is one that HTTP knows, and its headers are ours alone; a
// refusal says what, why and how in JSON.
#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/admin/body.hpp"
#include "api/errors.hpp"
#include "api/session.hpp"
#include "base/assert.hpp"
#include "provisioning/roster/roster_table.hpp"
#include "tests/unit/api/installation.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::api;
namespace json = boost::json;

constexpr std::size_t kRequestsMax = 16;

/// What every handler begins with.
Result<Response> read_body(Services& /*services*/, const Request& request) {
    if (request.route->body == BodyKind::csv) {
        IOTSKY_TRY(roster, provisioning::parse_roster(request.body));
        return Response{};
    }
    IOTSKY_TRY(body, decode_body(request));
    for (const Field& field : request.route->fields) {
        static_cast<void>(body.has(field.name));
    }
    return Response{};
}

std::vector<Route> make_table() {
    std::vector<Route> table{route_table().begin(), route_table().end()};
    for (Route& route : table) {
        route.handler = read_body;
    }
    return table;
}

Result<Caller> look_up(std::string_view token) {
    if (token == "good") {
        return Caller{Role::admin, "token:good", {}, {}};
    }
    return bad_token();
}

/// Made once: a registry and a CA stand behind Services, though no handler asks them.
struct Fixture {
    Installation installation;
    const std::vector<Route> table = make_table();
    const ServerOptions options;
    Dispatcher dispatcher{table, *installation.services, look_up, installation.guard, {}};
};

void check_answer(Response answer, const Request& request) {
    const bool refused = answer.status >= 400;
    IOTSKY_ASSERT(answer.status >= 200 && answer.status < 600);
    if (refused) {
        const json::object problem = json::parse(answer.body).as_object();
        for (const char* member : {"code", "detail", "why", "hint"}) {
            IOTSKY_ASSERT(!problem.at(member).as_string().empty());
        }
    }
    for (const auto& header : render(answer, request, false)) {
        IOTSKY_ASSERT(header.value().find_first_of("\r\n") == std::string_view::npos);
    }
}

/// Feeds the parser until `done`; false when the bytes end before, or are no request.
template <typename Done>
bool feed(Parser& parser, std::string_view& bytes, boost::system::error_code& error, Done done) {
    while (!done()) {
        const std::size_t taken =
            parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
        bytes.remove_prefix(taken);
        if (error || taken == 0) {
            return false;
        }
    }
    return true;
}

/// One request off the front of `bytes`; false when the connection would end here.
bool serve_one(Fixture& endpoint, const Peer& peer, std::string_view& bytes) {
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(endpoint.options.header_bytes_max));
    parser.body_limit(endpoint.options.csv_bytes_max);
    boost::system::error_code error;
    Request nobody;
    if (!feed(parser, bytes, error, [&] { return parser.is_header_done(); })) {
        if (error && error != http::error::need_more) {
            check_answer(problem(error_of(error, endpoint.options), nobody), nobody);
        }
        return false;
    }
    Admission admission = endpoint.dispatcher.admit(head_of(parser), peer);
    if (admission.refusal) {
        check_answer(std::move(*admission.refusal), admission.request);
        return false;
    }
    parser.body_limit(admission.body_bytes_max);
    if (!feed(parser, bytes, error, [&] { return parser.is_done(); })) {
        return false;
    }
    admission.request.body = std::move(parser.get().body());
    check_answer(endpoint.dispatcher.serve(admission.request), admission.request);
    return parser.keep_alive();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Fixture endpoint;
    if (size == 0) {
        return 0;
    }
    Peer peer;
    peer.address = "127.0.0.1:50112";
    peer.local = true;
    peer.unix_socket = (data[0] & 1U) != 0;
    peer.trusted = peer.unix_socket && (data[0] & 2U) != 0;
    endpoint.installation.clock.advance(std::chrono::hours{1});  // wrong tokens are forgotten
    std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
    for (std::size_t i = 0; i < kRequestsMax && serve_one(endpoint, peer, bytes); ++i) {
    }
    return 0;
}
