#include <boost/json.hpp>

#include "acl/policy.hpp"
#include "apps/serve/broker_admin_bridge.hpp"
#include "apps/serve/identity_bridge.hpp"
#include "apps/serve/installation.hpp"
#include "base/bytes.hpp"
#include "provisioning/names.hpp"
#include "tests/support/unreadable_store.hpp"
#include "tests/unit/apps/cli_run.hpp"

using namespace iotsky;
using namespace iotsky::apps;
using namespace iotsky::apps::test;
using broker::CertificateDirectory;

namespace {

const provisioning::Caller kAdmin = provisioning::Caller::system();

/// A real CA and registry in a temporary folder, with one class and one thing in it.
struct Fixture {
    TemporaryFolder folder;
    SystemClock clock;
    SystemRandom random;
    api::TokenGuard guard{clock, {3, std::chrono::seconds{60}}};
    std::unique_ptr<Installation> installation;
    provisioning::CertificateRecord certificate;

    Fixture() {
        Config config;
        config.server.data_dir = folder.path() / "data";
        config.server.addresses = {"10.0.0.5"};
        auto opened = Installation::open(config, clock, random);
        REQUIRE_MESSAGE(opened.has_value(), opened.error());
        installation = std::move(*opened);
        REQUIRE(installation->registry->start().has_value());
        provisioning::ClassRequest request;
        request.name = "7b";
        REQUIRE(installation->registry->classes.create(kAdmin, request).has_value());
        certificate = create("weather");
    }

    provisioning::CertificateRecord create(const std::string& name) {
        provisioning::ThingRequest request;
        request.class_name = "7b";
        request.project = "otter";
        request.name = name;
        auto made = installation->registry->things.create(kAdmin, request);
        REQUIRE_MESSAGE(made.has_value(), made.error());
        return *made->certificate;
    }

    [[nodiscard]] IdentityBridge bridge_over(const provisioning::RegistryView& view,
                                             ListenerIdentities listeners) {
        return IdentityBridge{
            view, clock, {guard, installation->registry->tokens.uses()}, std::move(listeners)};
    }
    [[nodiscard]] IdentityBridge bridge(ListenerIdentities listeners = {}) {
        return bridge_over(installation->registry->view(), std::move(listeners));
    }

    static std::string der_of(const provisioning::CertificateRecord& record) {
        const auto parsed = certs::Certificate::parse(record.pem);
        REQUIRE(parsed.has_value());
        return {parsed->der().begin(), parsed->der().end()};
    }
    static broker::PeerInfo peer(std::optional<std::string> der, std::string listener = "mqtts") {
        broker::PeerInfo info;
        info.listener = std::move(listener);
        if (der) {
            info.certificate_der = std::make_shared<const std::string>(std::move(*der));
        }
        return info;
    }
};

/// A CONNECT with `password`, which it refers to.
mqtt::ConnectView with_password(std::string_view password) {
    mqtt::ConnectView connect;
    connect.user_name = "browser";
    connect.password = as_bytes(password);
    return connect;
}

std::shared_ptr<const acl::RuleSet> allow_all() {
    auto policy = acl::parse_policy(
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})");
    REQUIRE(policy.has_value());
    auto rules =
        acl::compile_anonymous("plain", {"p", "1", std::make_shared<const acl::Policy>(*policy)});
    REQUIRE(rules.has_value());
    return *rules;
}

}  // namespace

TEST_SUITE("apps.identity") {
    TEST_CASE("a thing's certificate is its thing, with the scope of the thing") {
        Fixture f;
        auto bridge = f.bridge();
        const std::string der = Fixture::der_of(f.certificate);
        CHECK(bridge.standing(der) == CertificateDirectory::Standing::active);
        const auto admission = bridge.admit(Fixture::peer(der), {});
        REQUIRE(admission.code == mqtt::ConnectCode::accepted);
        CHECK(admission.identity->name == "7b/otter/weather");
        CHECK(admission.identity->class_name == "7b");
        CHECK(admission.identity->scope == admission.identity->thing_id);
        CHECK(admission.identity->alias.root == "7b/otter/weather");
        CHECK(admission.identity->attributes.thing_name == "7b:otter:weather");
        CHECK(admission.identity->attributes.subject.empty());  // no rule asks: nothing was parsed
    }

    TEST_CASE("a rule that reads the certificate's names gets them, also on a live connection") {
        Fixture f;
        auto bridge = f.bridge();
        const auto before = bridge.admit(Fixture::peer(Fixture::der_of(f.certificate)), {});
        REQUIRE(before.identity != nullptr);
        auto& policies = f.installation->registry->policies;
        REQUIRE(policies
                    .create(kAdmin, "by-name",
                            R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow",)"
                            R"("Action":"iot:Publish","Resource":"arn:aws:iot:::topic/by/)"
                            R"(${iot:Certificate.Subject.CommonName}"}]})")
                    .has_value());
        REQUIRE(
            policies
                .attach(kAdmin, "by-name", {provisioning::TargetKind::thing, "7b/otter/weather"})
                .has_value());
        const auto refreshed = bridge.refresh(*before.identity);
        REQUIRE(refreshed.identity != nullptr);
        CHECK(refreshed.identity->attributes.subject.contains("CommonName"));
        const auto again = bridge.admit(Fixture::peer(Fixture::der_of(f.certificate)), {});
        REQUIRE(again.identity != nullptr);
        CHECK(again.identity->attributes.subject == refreshed.identity->attributes.subject);
    }

    TEST_CASE("two things have two scopes: they can never take over each other's sessions") {
        Fixture f;
        auto bridge = f.bridge();
        const auto first = bridge.admit(Fixture::peer(Fixture::der_of(f.certificate)), {});
        const auto second = bridge.admit(Fixture::peer(Fixture::der_of(f.create("door"))), {});
        REQUIRE(first.identity != nullptr);
        REQUIRE(second.identity != nullptr);
        CHECK(first.identity->scope != second.identity->scope);
    }

    TEST_CASE("client_ids = account gives all one scope, but for tokens") {
        Fixture f;
        auto bridge = f.bridge({{"aws", {true, nullptr}}});
        CHECK(bridge.has_account_scope());
        const auto admission =
            bridge.admit(Fixture::peer(Fixture::der_of(f.certificate), "aws"), {});
        REQUIRE(admission.identity != nullptr);
        CHECK(admission.identity->scope == IdentityBridge::kAccountScope);
        auto tokens = f.bridge({{"web", {true, nullptr, "", true}}});
        const auto made = f.installation->registry->tokens
                              .create(kAdmin, {"x", provisioning::Role::admin, "", "", {}})
                              .value();
        const auto by_token =
            tokens.admit(Fixture::peer(std::nullopt, "web"), with_password(made.token.view()));
        REQUIRE(by_token.identity != nullptr);
        CHECK(by_token.identity->scope ==
              made.details.record.id.format(provisioning::kTokenPrefix));
        CHECK_FALSE(f.bridge().has_account_scope());
    }

    TEST_CASE("a revoked certificate is refused in words, at once, and its session is sealed") {
        Fixture f;
        auto bridge = f.bridge();
        const std::string der = Fixture::der_of(f.certificate);
        const auto before = bridge.admit(Fixture::peer(der), {});
        REQUIRE(before.identity != nullptr);
        REQUIRE(f.installation->registry->certificates.revoke(kAdmin, f.certificate.serial, "lost")
                    .has_value());
        CHECK(bridge.standing(der) == CertificateDirectory::Standing::known_inactive);
        const auto after = bridge.admit(Fixture::peer(der), {});
        CHECK(after.code == mqtt::ConnectCode::not_authorized);
        CHECK(after.number == "E3302");
        CHECK(after.name == "7b/otter/weather");
        CHECK(bridge.refresh(*before.identity).revoked);
    }

    TEST_CASE(
        "revoking the old certificate of a renewed one closes its connection but keeps the "
        "session") {
        Fixture f;
        auto bridge = f.bridge();
        const auto before = bridge.admit(Fixture::peer(Fixture::der_of(f.certificate)), {});
        REQUIRE(before.identity != nullptr);
        auto renewed =
            f.installation->registry->certificates.renew(kAdmin, f.certificate.serial, {});
        REQUIRE_MESSAGE(renewed.has_value(), renewed.error());
        REQUIRE(f.installation->registry->certificates
                    .revoke(kAdmin, f.certificate.serial, "superseded")
                    .has_value());
        const auto refreshed = bridge.refresh(*before.identity);
        CHECK(refreshed.code == mqtt::ConnectCode::not_authorized);
        CHECK_FALSE(refreshed.revoked);
        const auto fresh = bridge.admit(Fixture::peer(Fixture::der_of(*renewed->certificate)), {});
        REQUIRE(fresh.identity != nullptr);
        CHECK(fresh.identity->scope == before.identity->scope);
    }

    TEST_CASE("a stored session finds its principal again by its scope") {
        Fixture f;
        auto bridge = f.bridge({{"plain", {false, allow_all()}}});
        const auto known = bridge.admit(Fixture::peer(Fixture::der_of(f.certificate)), {});
        REQUIRE(known.identity != nullptr);
        const auto recalled = bridge.recall(known.identity->scope);
        REQUIRE(recalled.identity != nullptr);
        CHECK(recalled.identity->name == "7b/otter/weather");
        CHECK(bridge.recall("th_gone").revoked);
        CHECK(bridge.recall("listener:plain").identity != nullptr);
        CHECK(bridge.recall("listener:other").code == mqtt::ConnectCode::not_authorized);
    }

    TEST_CASE("a stranger's certificate is refused in words") {
        Fixture f;
        const Fixture other;
        auto bridge = f.bridge();
        const std::string der = Fixture::der_of(other.certificate);
        CHECK(bridge.standing(der) == CertificateDirectory::Standing::unknown);
        const auto admission = bridge.admit(Fixture::peer(der), {});
        CHECK(admission.number == "E3308");
        CHECK(bridge.standing("not a certificate") == CertificateDirectory::Standing::unknown);
        CHECK(bridge.admit(Fixture::peer("not a certificate"), {}).number == "E3308");
    }

    TEST_CASE("without a certificate the listener's policy decides") {
        Fixture f;
        auto bridge = f.bridge({{"plain", {false, allow_all()}}, {"closed", {false, nullptr}}});
        const auto anonymous = bridge.admit(Fixture::peer(std::nullopt, "plain"), {});
        REQUIRE(anonymous.identity != nullptr);
        CHECK(anonymous.identity->scope == "listener:plain");
        CHECK(bridge.refresh(*anonymous.identity).identity != nullptr);
        CHECK(bridge.admit(Fixture::peer(std::nullopt, "closed"), {}).number == "E3203");
        CHECK(bridge.admit(Fixture::peer(std::nullopt, "unheard"), {}).number == "E3203");
    }

    TEST_CASE("a listener's other policy counts at the next look, for those who are in as well") {
        Fixture f;
        auto bridge = f.bridge({{"plain", {false, allow_all(), "a"}}, {"aws", {true, nullptr}}});
        const auto before = bridge.admit(Fixture::peer(std::nullopt, "plain"), {});
        REQUIRE(before.identity != nullptr);
        CHECK(bridge.set_listeners({{"plain", {false, allow_all(), "a"}}, {"aws", {true, {}}}})
                  .empty());
        CHECK(bridge.set_listeners({{"plain", {false, allow_all(), "b"}}, {"aws", {true, {}}}}) ==
              std::vector<std::string>{"plain"});
        const auto after = bridge.refresh(*before.identity);
        REQUIRE(after.identity != nullptr);
        CHECK(after.identity->rules != before.identity->rules);
        CHECK(after.identity->scope == before.identity->scope);
        CHECK(bridge.set_listeners({{"plain", {}}, {"aws", {true, {}}}}).size() == 1);
        CHECK(bridge.refresh(*before.identity).number == "E3203");
        CHECK(bridge.recall("listener:plain").number == "E3203");
        CHECK(bridge.has_account_scope());
    }

    TEST_CASE("a token as password is its user, with a scope and an end of its own") {
        Fixture f;
        auto bridge = f.bridge({{"web", {false, nullptr, "", true}}, {"mqtts", {}}});
        provisioning::TokenRequest request;
        request.name = "laptop";
        request.role = provisioning::Role::teacher;
        request.class_name = "7b";
        request.expires_at = f.clock.wall_now() + std::chrono::hours{1};
        auto made = f.installation->registry->tokens.create(kAdmin, request);
        REQUIRE_MESSAGE(made.has_value(), made.error());
        const std::string id = made->details.record.id.format(provisioning::kTokenPrefix);
        const auto admission =
            bridge.admit(Fixture::peer(std::nullopt, "web"), with_password(made->token.view()));
        REQUIRE(admission.identity != nullptr);
        CHECK(admission.identity->name == "token laptop");
        CHECK(admission.identity->class_name == "7b");
        CHECK(admission.identity->scope == id);
        REQUIRE(admission.identity->valid_until.has_value());
        CHECK(format_utc(*admission.identity->valid_until) == format_utc(*request.expires_at));
        CHECK(bridge.refresh(*admission.identity).identity != nullptr);
        CHECK(bridge.recall(id).identity != nullptr);
        // Where the listener takes none, it is a password like any other.
        CHECK(bridge.admit(Fixture::peer(std::nullopt, "mqtts"), with_password(made->token.view()))
                  .number == "E3203");
        // A certificate goes before it.
        CHECK(bridge
                  .admit(Fixture::peer(Fixture::der_of(f.certificate), "web"),
                         with_password(made->token.view()))
                  .name == "7b/otter/weather");

        REQUIRE(f.installation->registry->tokens.revoke(kAdmin, id).has_value());
        CHECK(bridge.refresh(*admission.identity).revoked);
        CHECK(bridge.recall(id).revoked);
        const auto after =
            bridge.admit(Fixture::peer(std::nullopt, "web"), with_password(made->token.view()));
        CHECK(after.code == mqtt::ConnectCode::not_authorized);
        CHECK(after.number == "E3309");
        CHECK(after.name == "token laptop");
    }

    TEST_CASE("a wrong token is a wrong password, and after the API's number the address waits") {
        Fixture f;
        auto bridge = f.bridge({{"web", {false, nullptr, "", true}}});
        broker::PeerInfo peer = Fixture::peer(std::nullopt, "web");
        peer.address = "10.20.3.41";
        for (int i = 0; i < 3; ++i) {
            const auto wrong = bridge.admit(peer, with_password("iot_wrong" + std::to_string(i)));
            CHECK(wrong.code == mqtt::ConnectCode::bad_user_name_or_password);
            CHECK(wrong.number == "E3309");
        }
        const auto waits = bridge.admit(peer, with_password("iot_wrong"));
        CHECK(waits.code == mqtt::ConnectCode::not_authorized);
        CHECK(waits.number == "E3310");
        // Those at the API count here and the other way round: it is one guard.
        CHECK(f.guard.wait_of(peer.address, "iot_wrong").count() > 0);
        for (int i = 0; i < 3; ++i) {
            f.guard.note_wrong("10.20.3.43", "iot_wrong");
        }
        peer.address = "10.20.3.43";
        CHECK(bridge.admit(peer, with_password("iot_wrong")).number == "E3310");
        peer.address = "10.20.3.42";
        CHECK(bridge.admit(peer, with_password("iot_wrong")).number == "E3309");
        CHECK(bridge.admit(peer, {}).number == "E3203");
    }

    TEST_CASE("while the registry is unreadable tokens wait: none is revoked, none is wrong") {
        Fixture f;
        const auto made = [&](const std::string& name) {
            return f.installation->registry->tokens
                .create(kAdmin, {name, provisioning::Role::admin, "", "", {}})
                .value();
        };
        const auto known = made("known");
        const std::string scope = known.details.record.id.format(provisioning::kTokenPrefix);
        provisioning::RegistryView view;
        REQUIRE(view.load(*f.installation->store).has_value());
        auto bridge = f.bridge_over(view, {{"web", {false, nullptr, "", true}}});
        broker::PeerInfo peer = Fixture::peer(std::nullopt, "web");
        peer.address = "10.20.3.41";
        const auto before = bridge.admit(peer, with_password(known.token.view()));
        REQUIRE(before.identity != nullptr);

        const auto fresh = made("fresh");
        const std::string fresh_scope = fresh.details.record.id.format(provisioning::kTokenPrefix);
        iotsky::test::UnreadableStore unreadable(*f.installation->store);
        provisioning::Affected affected;
        affected.tokens = true;
        CHECK_FALSE(view.refresh(unreadable, affected).complete);
        for (int i = 0; i < 5; ++i) {
            for (const auto* token : {&known.token, &fresh.token}) {
                const auto refused = bridge.admit(peer, with_password(token->view()));
                CHECK(refused.code == mqtt::ConnectCode::server_unavailable);
                CHECK(refused.number == "E5304");
                CHECK_FALSE(refused.revoked);
            }
        }
        CHECK(bridge.refresh(*before.identity).code == mqtt::ConnectCode::server_unavailable);
        CHECK_FALSE(bridge.refresh(*before.identity).revoked);
        CHECK_FALSE(bridge.recall(scope).revoked);
        CHECK_FALSE(bridge.recall(fresh_scope).revoked);

        REQUIRE(view.load(*f.installation->store).has_value());
        CHECK(bridge.admit(peer, with_password(fresh.token.view())).identity != nullptr);
        CHECK(bridge.refresh(*before.identity).identity != nullptr);
    }

    TEST_CASE("a CONNECT by token is a use of it") {
        Fixture f;
        auto bridge = f.bridge({{"web", {false, nullptr, "", true}}});
        provisioning::Tokens& tokens = f.installation->registry->tokens;
        const auto made =
            tokens.create(kAdmin, {"x", provisioning::Role::admin, "", "", {}}).value();
        const auto peer = Fixture::peer(std::nullopt, "web");
        static_cast<void>(bridge.admit(peer, with_password("iot_wrong")));
        CHECK(tokens.uses().take().empty());
        REQUIRE(bridge.admit(peer, with_password(made.token.view())).identity != nullptr);
        CHECK(tokens.uses().take().contains(made.details.record.id));
    }

    TEST_CASE("a policy for anonymous clients takes passwords that are no tokens") {
        Fixture f;
        auto bridge = f.bridge({{"ws", {false, allow_all(), "", true}}});
        const auto peer = Fixture::peer(std::nullopt, "ws");
        CHECK(bridge.admit(peer, with_password("secret")).identity->scope == "listener:ws");
    }

    TEST_CASE("a policy change shows in the rights at the next look") {
        Fixture f;
        auto bridge = f.bridge();
        const auto before = bridge.admit(Fixture::peer(Fixture::der_of(f.certificate)), {});
        provisioning::ClassChange change;
        change.settings.on_denied_publish = provisioning::OnDeniedPublish::disconnect;
        REQUIRE(f.installation->registry->classes.set(kAdmin, "7b", change).has_value());
        const auto after = bridge.refresh(*before.identity);
        REQUIRE(after.identity != nullptr);
        CHECK_FALSE(before.identity->disconnect_on_denied_publish);
        CHECK(after.identity->disconnect_on_denied_publish);
        CHECK(after.identity->rights_version > before.identity->rights_version);
    }

    TEST_CASE("a thing has the limits of its class, and new ones at the next look") {
        Fixture f;
        auto bridge = f.bridge({{"plain", {false, allow_all()}}});
        const auto before = bridge.admit(Fixture::peer(Fixture::der_of(f.certificate)), {});
        REQUIRE(before.identity != nullptr);
        REQUIRE(before.identity->limits.has_value());
        CHECK(before.identity->limits->messages_per_second == 10);
        CHECK(before.identity->limits->burst == 50);
        CHECK(before.identity->limits->payload_bytes_max == 32 * 1024);
        CHECK(before.identity->limits->retained_max == 50);
        CHECK(before.identity->limits->queue_bytes_max == 256 * 1024);
        provisioning::ClassChange change;
        change.settings.messages_per_second = 7;
        REQUIRE(f.installation->registry->classes.set(kAdmin, "7b", change).has_value());
        const auto after = bridge.refresh(*before.identity);
        REQUIRE(after.identity != nullptr);
        CHECK(after.identity->limits->messages_per_second == 7);
        const auto anonymous = bridge.admit(Fixture::peer(std::nullopt, "plain"), {});
        REQUIRE(anonymous.identity != nullptr);
        CHECK_FALSE(anonymous.identity->limits.has_value());
    }

    TEST_CASE("the first token is written once, for its owner alone") {
        Fixture f;
        const auto made = f.installation->make_first_token();
        REQUIRE(made.has_value());
        CHECK(*made);
        const std::string token = f.folder.read("data/admin.token");
        CHECK(token.starts_with("iot_"));
        const auto caller =
            f.installation->registry->tokens.authenticate(token.substr(0, token.size() - 1));
        REQUIRE(caller.has_value());
        CHECK(caller->role == provisioning::Role::admin);
        const auto again = f.installation->make_first_token();
        REQUIRE(again.has_value());
        CHECK_FALSE(*again);
    }

    TEST_CASE("a clock before this program was built is refused") {
        const auto refused = check_clock(from_unix_s(0));
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E1103");
        CHECK(check_clock(std::chrono::system_clock::now()).has_value());
    }
}

TEST_SUITE("apps.broker_admin") {
    TEST_CASE("a selector names those that match all of it") {
        broker::ConnectionSummary weather;
        weather.identity = "7b/otter/weather";
        weather.class_name = "7b";
        weather.thing_id = "th_1";
        weather.client_id = "esp";
        weather.address = "10.0.0.9";
        weather.listener = "mqtts";
        weather.certificate_id = "ab12";
        broker::ConnectionSummary service;
        service.identity = "service grader";

        api::ClientSelector which;
        CHECK(selects(which, weather));
        CHECK(selects(which, service));
        which.class_name = "7b";
        which.project = "otter";
        CHECK(selects(which, weather));
        CHECK_FALSE(selects(which, service));
        which.project = "heron";
        CHECK_FALSE(selects(which, weather));
        which = {};
        which.thing_path = "7b/otter/weather";
        which.certificate = "ab12";
        which.address = "10.0.0.9";
        which.client_id = "esp";
        CHECK(selects(which, weather));
        which.listener = "other";
        CHECK_FALSE(selects(which, weather));
    }

    TEST_CASE("a session's id is read back as the same place") {
        broker::SessionRef ref;
        ref.gen = 7;
        ref.slot = 0x00abcdef;
        ref.thread = 63;
        const std::string text = format_session(ref);
        CHECK(text.size() == 17);
        const auto parsed = parse_session(text);
        REQUIRE(parsed.has_value());
        CHECK(*parsed == ref);
        for (const char* bad : {"", "s", "s123", "x0000000000000007", "s000000000000000g"}) {
            CHECK_FALSE(parse_session(bad).has_value());
        }
    }
}
