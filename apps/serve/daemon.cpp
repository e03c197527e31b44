#include "apps/serve/daemon.hpp"

#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <csignal>
#include <iostream>
#include <iterator>

#include "api/bundle/tickets.hpp"
#include "api/handshake_log.hpp"
#include "api/http_stats.hpp"
#include "api/server.hpp"
#include "api/services.hpp"
#include "api/table.hpp"
#include "api/token_guard.hpp"
#include "apps/backup/service.hpp"
#include "apps/backup/shelf.hpp"
#include "apps/cli/program.hpp"
#include "apps/serve/apply_config.hpp"
#include "apps/serve/banner.hpp"
#include "apps/serve/broker_admin_bridge.hpp"
#include "apps/serve/control_loop.hpp"
#include "apps/serve/event_source.hpp"
#include "apps/serve/file_limit.hpp"
#include "apps/serve/installation.hpp"
#include "apps/serve/listeners.hpp"
#include "apps/serve/machine_bridge.hpp"
#include "apps/serve/message_log.hpp"
#include "apps/serve/notify.hpp"
#include "apps/serve/open_listeners.hpp"
#include "apps/serve/refusal_bridge.hpp"
#include "apps/serve/renewal.hpp"
#include "apps/serve/rights_bridge.hpp"
#include "apps/serve/server_tls.hpp"
#include "apps/serve/web_bridge.hpp"
#include "base/ascii.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "broker/me_service.hpp"
#include "broker/net/data_plane.hpp"
#include "broker/net/handshake_doctor.hpp"
#include "broker/sys_topics.hpp"

namespace iotsky::apps {
namespace {

using namespace std::chrono_literals;

// SIGTERM ends everything within 2 s.
constexpr auto kAnswers = 300ms;
constexpr auto kDrain = 1'000ms;

unsigned thread_count(unsigned configured) {
    cpu_set_t mask;
    CPU_ZERO(&mask);
    const bool known = ::sched_getaffinity(0, sizeof mask, &mask) == 0;
    const unsigned cpus = known ? static_cast<unsigned>(CPU_COUNT(&mask)) : 1U;
    return std::clamp(configured == 0 ? cpus : configured, 1U, broker::kThreadsMax);
}

/// Everything that runs, in the order in which it is made; destroyed in the reverse one.
class Daemon {
  public:
    /// `clock` and `random` outlive it.
    Daemon(ServeOptions options, std::unique_ptr<Installation> installation, OpenedLog opened,
           ListenerIdentities identities, const Clock& clock, Random& random);

    Result<void> start();
    /// Serves until SIGTERM or SIGINT; one that came before ends it at once.
    void run(std::ostream& out, const Signals& signals);
    void stop();

  private:
    void upkeep();
    void renew_tls();
    void reload();
    [[nodiscard]] Result<backup::Sources> backup_sources() const;
    [[nodiscard]] std::string protocol_of(const std::string& listener) const;
    [[nodiscard]] api::MachineStatus starting_status() const;
    [[nodiscard]] api::MachineStatus ready_status() const;
    void tell_durability(api::ListenerStatus& status) const;
    [[nodiscard]] std::string banner_text() const;

    const Config config_;
    std::vector<Error> warnings_;
    const Clock& clock_;
    Random& random_;
    const WallTime started_at_ = clock_.wall_now();
    std::unique_ptr<Installation> installation_;
    bool new_token_ = false;

    provisioning::RefusalLog refusal_log_;
    api::HandshakeLog handshake_log_;
    RefusalBridge refusals_{refusal_log_, handshake_log_};
    api::TokenGuard guard_{clock_, config_.api.tokens};
    IdentityBridge identities_;
    std::shared_ptr<net::HandshakeDoctor> doctor_ =
        std::make_shared<net::HandshakeDoctor>(&refusals_);
    std::unique_ptr<ServerTls> tls_;

    OpenedLog opened_;
    broker::DurableLog* const log_ = opened_.log.get();
    CertificateRenewal renewal_;
    broker::Broker broker_;
    net::DataPlane plane_;
    RightsBridge rights_{broker_, identities_};
    RegistryEvents events_{installation_->registry->events};
    EventPublisher publisher_;

    MachineBridge machine_;
    BrokerAdminBridge admin_;
    backup::Service backups_;
    api::HttpStats http_stats_;
    api::BundleTickets tickets_{clock_, random_};
    api::Services services_;
    WebBridge web_;
    ControlLoop control_{{[this] { reload(); }, [this] { upkeep(); }}};
    api::Server api_;
    std::vector<OpenListener> open_;
};

api::ServerOptions server_options(const Config& config) {
    api::ServerOptions options = config.api;
    options.listeners = api_options(config.listeners);
    for (const auto* names : {&config.server.names, &config.server.addresses}) {
        std::ranges::transform(*names, std::back_inserter(options.host_names), ascii_lower);
    }
    return options;
}

std::optional<Error> make_room_for_connections(const Config& config) {
    const auto api = std::ranges::count_if(config.listeners, is_api);
    return raise_file_limit(config.broker.limits.connections_max,
                            static_cast<std::size_t>(api) * config.api.connections_max);
}

net::PollerOptions poller_options(const Config& config) {
    net::PollerOptions options = config.poller;
    options.linger_timeout = config.broker.limits.linger_timeout;
    return options;
}

Daemon::Daemon(ServeOptions options, std::unique_ptr<Installation> installation, OpenedLog opened,
               ListenerIdentities identities, const Clock& clock, Random& random)
    : config_(options.loaded.config),
      warnings_(std::move(options.warnings)),
      clock_(clock),
      random_(random),
      installation_(std::move(installation)),
      identities_(installation_->registry->view(), clock_,
                  {guard_, installation_->registry->tokens.uses()}, std::move(identities)),
      opened_(std::move(opened)),
      renewal_(renew_in(installation_->registry->certificates), clock_, {config_.renewal_interval}),
      broker_(broker_options(config_), thread_count(config_.broker.threads), *log_, identities_,
              refusals_, random_),
      plane_(broker_.shared(), poller_options(config_), clock_),
      publisher_(
          events_,
          [this](std::string topic, std::string payload, std::function<void()> durable) {
              broker_.publish({std::move(topic), std::move(payload), 1, false}, std::move(durable));
          }),
      machine_(
          std::move(options.choice), std::move(options.loaded), starting_status(),
          [this](const Config& config) {
              return apply_config(config, {*installation_->registry, plane_, identities_, rights_});
          }),
      admin_(
          broker_, plane_, refusals_,
          [this](const std::string& listener) { return protocol_of(listener); },
          config_.metrics.things_max),
      backups_(
          installation_->folder.path(),
          {config_.backup.every, config_.backup.keep, config_.backup.passphrase_file},
          [this] { return backup_sources(); }, clock_, random_),
      services_{*installation_->registry,
                *installation_->ca.authority,
                refusal_log_,
                handshake_log_,
                tickets_,
                admin_,
                machine_,
                backups_,
                http_stats_,
                clock_},
      api_(control_.io(), server_options(config_),
           {api::route_table(), services_, http_stats_, api::token_lookup(*installation_->registry),
            guard_}) {
    // QoS 0: an event about a full queue must not wait in one.
    refusals_.publish_by([this](std::string topic, std::string payload) {
        broker_.publish({std::move(topic), std::move(payload), 0, false}, [] {});
    });
    broker_.add_service(broker::make_me_service());
    broker_.add_service(renewal_.service());
    broker_.add_service(
        broker::make_sys_topics(broker_.shared(), std::string{cli::version()}, clock_.now()));
    log_->set_wakers(plane_.wakers());
}

/// Messages first: what the registry revoked up to now is revoked in the backup.
Result<backup::Sources> Daemon::backup_sources() const {
    backup::Sources sources;
    sources.data_folder = installation_->folder.path();
    sources.config = backup::config_files(machine_.config_file(), config_.listeners);
    if (opened_.snapshot) {
        IOTSKY_TRY(messages, opened_.snapshot());
        sources.messages = std::move(messages);
    }
    IOTSKY_TRY(registry, storage::Snapshot::of_registry(sources.data_folder / "registry.db"));
    sources.registry = std::move(registry);
    return sources;
}

std::string Daemon::protocol_of(const std::string& listener) const {
    const auto at = std::find_if(config_.listeners.begin(), config_.listeners.end(),
                                 [&](const Listener& entry) { return entry.name == listener; });
    if (at == config_.listeners.end()) {
        return "";
    }
    // What of it is MQTT comes over WebSocket.
    const Protocol spoken = at->protocol == Protocol::https ? Protocol::wss : at->protocol;
    return std::string{to_string(spoken)};
}

api::MachineStatus Daemon::starting_status() const {
    api::MachineStatus status;
    status.version = cli::version();
    status.started_at = started_at_;
    status.durability_mode = to_string(config_.durability.mode);
    status.durability_meaning = durability_meaning(config_.durability);
    status.not_ready_why = "starting";
    status.store_folder = config_.server.data_dir.string();
    return status;
}

Result<void> Daemon::start() {
    provisioning::Registry& registry = *installation_->registry;
    registry.set_rights_listener(&rights_);
    registry.set_events_hook([this] {
        publisher_.wake();
        api_.wake_pollers();
    });
    IOTSKY_CHECK(registry.start());
    IOTSKY_TRY(new_token, installation_->make_first_token());
    new_token_ = new_token;
    IOTSKY_TRY(names, server_names(config_.server));
    IOTSKY_TRY(tls, ServerTls::make(installation_->ca.authority, installation_->ca.servers.clone(),
                                    identities_, std::move(names), installation_->folder.path(),
                                    clock_, random_));
    tls_ = std::move(tls);
    renewal_.start();
    plane_.start();
    IOTSKY_TRY(open, open_listeners({config_, *tls_, doctor_, plane_, broker_.shared().threads,
                                     web_.handler(control_.io(), api_), api_}));
    open_ = std::move(open);
    publisher_.start();
    backups_.start();
    IOTSKY_CHECK(write_endpoints(installation_->folder.path(), open_));
    machine_.set_status(ready_status());
    return {};
}

/// Of a listener whose clients have sessions.
void Daemon::tell_durability(api::ListenerStatus& status) const {
    for (const Listener& listener : config_.listeners) {
        if (listener.name == status.name && is_mqtt(listener)) {
            DurabilityOptions options = config_.durability;
            options.mode = durability_of(listener, config_);
            status.durability = to_string(options.mode);
            status.durability_meaning = durability_meaning(options);
        }
    }
}

api::MachineStatus Daemon::ready_status() const {
    api::MachineStatus status = starting_status();
    const auto mqtts = std::find_if(open_.begin(), open_.end(), [](const OpenListener& listener) {
        return listener.protocol == "mqtts";
    });
    status.endpoint = {config_.server.names.front(), usable_addresses(tls_->names().addresses),
                       mqtts == open_.end() ? std::uint16_t{0} : mqtts->port};
    for (const OpenListener& listener : open_) {
        status.listeners.push_back(
            {listener.name, listener.protocol, listener.address(), listener.security, "", ""});
        tell_durability(status.listeners.back());
    }
    for (const Error& warning : warnings_) {
        status.warnings.push_back(warning.number + " " + warning.message);
    }
    status.certificates = {{"server", tls_->mqtt_certificate().not_after()},
                           {"web", tls_->web_certificate().not_after()}};
    status.ready = true;
    status.not_ready_why.clear();
    return status;
}

std::string Daemon::banner_text() const {
    BannerFacts facts;
    facts.version = cli::version();
    facts.data_folder = installation_->folder.path().string();
    facts.first_start = installation_->first_start;
    facts.listeners = open_;
    facts.host = config_.server.names.front();
    facts.addresses = usable_addresses(tls_->names().addresses);
    const auto& fingerprint =
        installation_->ca.authority->certificate(certs::CaRole::server).fingerprint();
    facts.ca_words = fingerprint.words();
    facts.ca_fingerprint = fingerprint.colon_hex();
    facts.token_file = new_token_ ? installation_->token_file().string() : "";
    facts.durability = durability_meaning(config_.durability);
    facts.warnings = warnings_;
    return banner(facts);
}

void Daemon::reload() {
    const auto report = machine_.reload_config();
    if (!report) {
        log::error(report.error().number, "configuration not reloaded, nothing changed",
                   {{"reason", report.error().message}, {"hint", report.error().how}});
        return;
    }
    log::info(
        "", "configuration reloaded",
        {{"changed", join(report->changed, ",")}, {"restart", join(report->needs_restart, ",")}});
    renew_tls();
}

void Daemon::renew_tls() {
    auto names = server_names(config_.server);
    if (!names) {
        log::error(names.error().number, names.error().message, {{"reason", names.error().why}});
        return;
    }
    if (const auto news = tls_->upkeep(std::move(*names)); !news.empty()) {
        std::erase_if(warnings_, [](const Error& old) { return old.number == "W1105"; });
        warnings_.insert(warnings_.end(), news.begin(), news.end());
    }
    machine_.set_status(ready_status());
}

void Daemon::upkeep() {
    renew_tls();
    tickets_.sweep();
    if (auto done = installation_->registry->maintain(); !done) {
        log::error(done.error().number, done.error().message, {{"reason", done.error().why}});
    }
}

void Daemon::run(std::ostream& out, const Signals& signals) {
    control_.start();
    for (const Error& warning : warnings_) {
        log::warn(warning.number, warning.message,
                  {{"reason", warning.why}, {"hint", warning.how}});
    }
    out << banner_text() << "ready" << std::endl;
    notify_systemd("READY=1\nSTATUS=serving");
    control_.run(signals);
}

void Daemon::stop() {
    notify_systemd("STOPPING=1");
    remove_endpoints(installation_->folder.path());
    api_.stop();
    control_.finish(kAnswers);
    backups_.stop();
    publisher_.stop();
    plane_.stop(kDrain);
    renewal_.stop();
    log_->set_wakers({});
}

}  // namespace

Result<void> run_daemon(ServeOptions options, const Signals& signals, std::ostream& out) {
    ::umask(S_IRWXG | S_IRWXO);
    std::signal(SIGPIPE, SIG_IGN);
    IOTSKY_TRY(identities, listener_identities(options.loaded.config.listeners));
    log::start(options.loaded.config.log);
    const struct StopLog {
        ~StopLog() { log::stop(); }
    } stop_log;
    const SystemClock clock;
    SystemRandom random;
    auto prepared =
        Installation::open(options.loaded.config, clock, random, config_file_of(options.choice),
                           [&signals] { return !signals.stop_waits(); });
    if (signals.stop_waits()) {
        return {};  // also when that cut it short
    }
    IOTSKY_TRY(installation, std::move(prepared));
    options.warnings.insert(options.warnings.end(), installation->ca.warnings.begin(),
                            installation->ca.warnings.end());
    DurabilityOptions durability = options.loaded.config.durability;
    durability.mode = strictest_durability(options.loaded.config);
    auto opened = open_message_log(durability, installation->folder.path(), clock.wall_now());
    if (!opened) {
        return backup::with_way_back(std::move(opened).error(), installation->folder.path());
    }
    options.warnings.insert(options.warnings.end(), opened->warnings.begin(),
                            opened->warnings.end());
    if (auto few = make_room_for_connections(options.loaded.config)) {
        options.warnings.push_back(std::move(*few));
    }
    Daemon daemon{std::move(options),
                  std::move(installation),
                  std::move(*opened),
                  std::move(identities),
                  clock,
                  random};
    auto started = daemon.start();
    if (started && !signals.stop_waits()) {
        daemon.run(out, signals);
    }
    daemon.stop();
    return started;
}

}  // namespace iotsky::apps
