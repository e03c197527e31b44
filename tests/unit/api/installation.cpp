#include "tests/unit/api/installation.hpp"

#include <cstdlib>
#include <stdexcept>

namespace iotsky::api {
namespace {

std::filesystem::path make_folder(const char* name) {
    // In memory where there is such a folder: these tests are about answers, not about the disk.
    std::error_code ignored;
    const std::filesystem::path memory = "/dev/shm";
    const auto parent = std::filesystem::is_directory(memory, ignored)
                            ? memory
                            : std::filesystem::temp_directory_path();
    std::string pattern = (parent / name).string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    return pattern;
}

const TestAuthority& authority() {
    static const TestAuthority made;
    return made;
}

}  // namespace

TestAuthority::TestAuthority() : folder(make_folder("iotsky-api-ca-XXXXXX")) {
    SystemRandom random;
    certs::AuthorityOptions options;
    options.data_folder = folder;
    options.names = {{"iotsky.local"}, {"10.20.0.5"}};
    authority = certs::Authority::open(options, SystemClock{}.wall_now(), random).value().authority;
}

TestAuthority::~TestAuthority() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
}

Installation::Installation() : folder(make_folder("iotsky-api-XXXXXX")) {
    machine.facts.version = "0.1.0";
    machine.facts.started_at = clock.wall_now();
    machine.facts.ready = true;
    machine.facts.endpoint = {"iotsky.local", {"10.20.0.5"}, 8883};
    machine.facts.listeners = {
        {"mqtts", "mqtts", "[::]:8883", "TLS, client certificate required", "durable", "on disk"}};
    machine.facts.durability_mode = "durable";
    machine.facts.store_folder = folder.string();
    store = storage::RegistryStore::open(folder / "registry.db").value();
    issuer = std::make_unique<provisioning::AuthorityIssuer>(authority().authority, "test", random);
    provisioning::RegistryOptions options;
    options.rights_wait_max = std::chrono::milliseconds{20};
    registry = std::make_unique<provisioning::Registry>(*store, *issuer, clock, random, options);
    registry->set_rights_listener(&rights);
    registry->start().value();
    services = std::make_unique<Services>(Services{*registry, *authority().authority, refusals,
                                                   handshakes, tickets, broker, machine, backups,
                                                   http, clock, std::chrono::milliseconds{50}});
    dispatcher = std::make_unique<Dispatcher>(route_table(), *services, token_lookup(*registry),
                                              guard, DispatcherOptions{});
}

Installation::~Installation() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
}

Response Installation::ask(const Ask& ask) {
    Peer peer;
    peer.local = true;
    peer.unix_socket = true;
    peer.trusted = ask.token.empty();
    peer.account = "root";
    const std::string authorization = ask.token.empty() ? "" : "Bearer " + ask.token;
    Head head;
    head.method = ask.method;
    head.target = ask.target;
    head.host = "localhost";
    head.content_type = ask.body.empty() ? std::string_view{} : ask.content_type;
    head.has_body = !ask.body.empty();
    head.authorization = authorization;
    head.if_match = ask.if_match;
    head.idempotency_key = ask.idempotency_key;
    Admission admission = dispatcher->admit(head, peer);
    if (admission.refusal) {
        return std::move(*admission.refusal);
    }
    admission.request.body = ask.body;
    return dispatcher->serve(admission.request);
}

Response Installation::get(const std::string& target, const std::string& token) {
    Ask one;
    one.target = target;
    one.token = token;
    return ask(one);
}

Response Installation::post(const std::string& target, const std::string& body,
                            const std::string& token) {
    Ask one;
    one.method = "POST";
    one.target = target;
    one.body = body;
    one.token = token;
    return ask(one);
}

std::string Installation::token(Role role, const std::string& class_name,
                                const std::string& project) {
    const auto made = registry->tokens.create(
        admin, {"t" + std::to_string(std::rand()), role, class_name, project, {}});
    return std::string{made.value().token.view()};
}

}  // namespace iotsky::api
