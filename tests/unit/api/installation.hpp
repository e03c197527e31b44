#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "api/dispatcher.hpp"
#include "api/services.hpp"
#include "api/table.hpp"
#include "certs/authority.hpp"
#include "provisioning/authority_issuer.hpp"
#include "provisioning/registry.hpp"
#include "storage/registry_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/api/fakes.hpp"

namespace iotsky::api {

/// Notes revocations; acknowledges at once, or never.
class FakeRights final : public provisioning::RightsListener {
  public:
    void on_rights_changed(std::vector<std::string> /*scopes*/, bool was_revoked,
                           std::function<void()> done) override {
        revoked += was_revoked ? 1 : 0;
        if (acknowledges) {
            done();
        }
    }
    int revoked = 0;
    bool acknowledges = true;
};

/// The CA of all tests: made once, it takes longer than everything else.
struct TestAuthority {
    std::filesystem::path folder;
    std::shared_ptr<const certs::Authority> authority;
    TestAuthority();
    ~TestAuthority();
};

/// What a request is asked with; the answer's body is kept as text.
struct Ask {
    std::string method = "GET";
    std::string target = {};
    std::string body = {};
    std::string content_type = "application/json";
    std::string token = {};  ///< empty: a trusted unix peer
    std::string if_match = {};
    std::string idempotency_key = {};
};

/// A real registry and CA behind the whole table, a fake broker, no socket.
class Installation {
  public:
    Installation();
    ~Installation();
    Installation(const Installation&) = delete;
    Installation& operator=(const Installation&) = delete;

    Response ask(const Ask& ask);
    Response get(const std::string& target, const std::string& token = {});
    Response post(const std::string& target, const std::string& body,
                  const std::string& token = {});
    /// A token of the role, narrowed as the role needs.
    std::string token(Role role, const std::string& class_name = {},
                      const std::string& project = {});

    std::filesystem::path folder;
    ManualClock clock;
    SystemRandom random;
    FakeRights rights;
    FakeBroker broker;
    FakeMachine machine;
    FakeBackups backups;
    std::unique_ptr<storage::RegistryStore> store;
    std::unique_ptr<provisioning::AuthorityIssuer> issuer;
    std::unique_ptr<provisioning::Registry> registry;
    provisioning::RefusalLog refusals;
    HandshakeLog handshakes;
    BundleTickets tickets{clock, random};
    HttpStats http;
    TokenGuard guard{clock};
    std::unique_ptr<Services> services;
    std::unique_ptr<Dispatcher> dispatcher;
    Caller admin{Role::admin, "test", {}, {}};
};

}  // namespace iotsky::api
