#include "tests/simulation/world.hpp"

#include <algorithm>
#include <array>

#include "base/assert.hpp"
#include "base/log.hpp"
#include "base/siphash.hpp"
#include "broker/me_service.hpp"
#include "broker/out_buffer.hpp"
#include "broker/shard_impl.hpp"

namespace iotsky::simulation {
namespace {

const WallTime kWallStart = from_unix_s(1'795'000'000);

acl::NamedPolicy named(const std::string& text) {
    return {"test", "1", std::make_shared<const acl::Policy>(acl::parse_policy(text).value())};
}

std::shared_ptr<const broker::Identity> identity_of(const std::string& scope,
                                                    const std::string& policy) {
    auto identity = std::make_shared<broker::Identity>();
    identity->scope = scope;
    identity->name = scope;
    identity->rules = acl::compile_anonymous(scope, named(policy)).value();
    return identity;
}

}  // namespace

Directory::Directory(std::string policy) : default_policy_(std::move(policy)) {}

broker::Admission Directory::of(std::string_view scope) {
    if (const auto gone = revoked_.find(scope); gone != revoked_.end() && gone->second) {
        return {mqtt::ConnectCode::not_authorized, nullptr, "E3304", "revoked", {}, true};
    }
    auto found = identities_.find(scope);
    if (found == identities_.end()) {
        const std::string name{scope};
        found = identities_.emplace(name, identity_of(name, default_policy_)).first;
    }
    return {mqtt::ConnectCode::accepted, found->second, {}, {}, {}, false};
}

broker::Admission Directory::admit(const broker::PeerInfo& /*peer*/,
                                   const mqtt::ConnectView& connect) {
    return of(connect.user_name.value_or("anonymous"));
}
broker::Admission Directory::refresh(const broker::Identity& identity) {
    return of(identity.scope);
}
broker::Admission Directory::recall(std::string_view scope) {
    return of(scope);
}

void Directory::set_policy(const std::string& scope, const std::string& policy) {
    identities_[scope] = identity_of(scope, policy);
}

void Directory::set_thing(const std::string& scope, const acl::ClassRights& rights,
                          const std::optional<broker::ThingLimits>& limits,
                          bool disconnect_on_denied_publish) {
    auto identity = std::make_shared<broker::Identity>();
    identity->scope = scope;
    identity->name = rights.class_name + "/" + rights.project + "/" + rights.thing;
    identity->class_name = rights.class_name;
    identity->thing_id = scope;
    identity->rules = acl::compile({}, rights, acl::Reserved{scope}).value();
    identity->alias = identity->rules->alias();
    identity->limits = limits;
    identity->disconnect_on_denied_publish = disconnect_on_denied_publish;
    identities_[scope] = std::move(identity);
}

class World::Transport final : public broker::Transport {
  public:
    Transport(std::shared_ptr<Wire> wire, std::string listener, std::string address)
        : wire_(std::move(wire)) {
        peer_.listener = std::move(listener);
        peer_.address = std::move(address);
    }
    [[nodiscard]] bool write(broker::OutBuffer& out) override {
        std::array<::iovec, 16> pieces;
        wire_->blocked = wire_->blocked || (wire_->takes_nothing && !out.empty());
        while (!out.empty() && !wire_->takes_nothing) {
            const std::size_t n = out.gather(pieces);
            std::size_t bytes = 0;
            for (std::size_t i = 0; i < n; ++i) {
                const auto* p = static_cast<const std::byte*>(pieces[i].iov_base);
                wire_->to_client.insert(wire_->to_client.end(), p, p + pieces[i].iov_len);
                bytes += pieces[i].iov_len;
            }
            out.consume(bytes);
        }
        return !wire_->client_closed;
    }
    [[nodiscard]] const broker::PeerInfo& peer() const override { return peer_; }
    void close() override { wire_->broker_closed = true; }
    [[nodiscard]] Wire& wire() { return *wire_; }

  private:
    std::shared_ptr<Wire> wire_;
    broker::PeerInfo peer_;
};

class World::Host final : public broker::TransportHost {
  public:
    void attach(broker::Transport& transport, broker::ConnRef conn) override {
        attached[&static_cast<Transport&>(transport)] = conn;
    }
    void detach(broker::Transport& transport) override {
        attached.erase(&static_cast<Transport&>(transport));
    }
    void resume(broker::Transport& /*transport*/) override {
    }  // every turn looks at every transport

    std::map<Transport*, broker::ConnRef> attached;
};

struct World::Thread {
    Host host;
    std::unique_ptr<broker::Shard> shard;
};

class World::Sink final : public broker::RefusalSink {
  public:
    explicit Sink(World& world) : world_(world) {}
    void refused(const broker::Refusal& refusal) override { world_.refusals.push_back(refusal); }

  private:
    World& world_;
};

namespace {

// Before anything hashes: one seed gives one run.
const bool key_is_fixed = [] {
    fix_process_hash_key_for_test({0x5ca1ab1e, 0x0ddba11});
    return true;
}();

}  // namespace

World::World(std::uint64_t seed, unsigned threads, LogOptions log, broker::Options options,
             std::string policy)
    : random_(seed),
      threads_(threads),
      options_(options),
      directory_(std::move(policy)),
      sink_(std::make_unique<Sink>(*this)),
      log_(log) {
    IOTSKY_ASSERT(key_is_fixed);
    iotsky::log::set_level(iotsky::log::Level::error);  // thousands of clients come and go
    start();
}

World::~World() {
    stop();
}

void World::start() {
    broker_ =
        std::make_unique<broker::Broker>(options_, threads_, log_, directory_, *sink_, random_);
    broker_->add_service(broker::make_me_service());
    for (const ServiceMaker& make : services_) {
        broker_->add_service(make());
    }
    for (unsigned t = 0; t < threads_; ++t) {
        auto thread = std::make_unique<Thread>();
        thread->shard = std::make_unique<broker::Shard>(static_cast<broker::ThreadId>(t),
                                                        broker_->shared(), thread->host, now_);
        shards_.push_back(std::move(thread));
    }
    turns(1);  // recovery
}

void World::stop() {
    shards_.clear();
    broker_.reset();
}

void World::crash(bool applied) {
    ++crashes_;
    stop();
    log_.crash(applied);
    for (const auto& client : clients_) {
        client->lose_connection();
    }
    start();
}

Client& World::add(ClientOptions options) {
    clients_.push_back(std::make_unique<Client>(std::move(options)));
    return *clients_.back();
}

void World::connect(Client& client, const std::string& listener, const std::string& address) {
    auto transport = std::make_unique<Transport>(
        client.connect(), listener.empty() ? client.options().listener : listener, address);
    (void)shards_[random_.below(threads_)]->shard->open(std::move(transport), now_);
}

std::shared_ptr<Wire> World::open_raw(const std::string& listener, unsigned thread) {
    auto wire = std::make_shared<Wire>();
    (void)shards_[thread]->shard->open(std::make_unique<Transport>(wire, listener, "192.0.2.1"),
                                       now_);
    return wire;
}

void World::add_service(ServiceMaker make) {
    broker_->add_service(make());
    services_.push_back(std::move(make));
}

std::optional<TimePoint> World::next_deadline(unsigned thread) const {
    return shards_[thread]->shard->next_deadline();
}

std::size_t World::queue_memory() const {
    std::size_t bytes = 0;
    for (const auto& thread : shards_) {
        bytes += thread->shard->impl().messages.bytes();
    }
    return bytes;
}

bool World::would_sleep(unsigned thread) {
    return shards_[thread]->shard->may_sleep();
}

void World::turn(unsigned thread) {
    Thread& t = *shards_[thread];
    now_ += std::chrono::microseconds{50};
    t.shard->begin_turn({now_, kWallStart + std::chrono::duration_cast<WallTime::duration>(
                                                now_.time_since_epoch())});
    std::vector<std::pair<Transport*, broker::ConnRef>> ready(t.host.attached.begin(),
                                                              t.host.attached.end());
    for (const auto& [transport, conn] : ready) {
        const auto still = t.host.attached.find(transport);
        if (still == t.host.attached.end() || !(still->second == conn)) {
            continue;
        }
        Wire& wire = transport->wire();
        if (wire.blocked && !wire.takes_nothing) {
            wire.blocked = false;
            t.shard->on_writable(conn);
        }
        if (!wire.to_broker.empty() && !t.shard->reading_paused(conn)) {
            const std::size_t most = reads_all ? wire.to_broker.size() : 1 + random_.below(64);
            const std::size_t n = std::min<std::size_t>(wire.to_broker.size(), most);
            const std::vector<std::byte> bytes(
                wire.to_broker.begin(), wire.to_broker.begin() + static_cast<std::ptrdiff_t>(n));
            wire.to_broker.erase(wire.to_broker.begin(),
                                 wire.to_broker.begin() + static_cast<std::ptrdiff_t>(n));
            (void)t.shard->on_bytes(conn, bytes);
        } else if (wire.client_closed && wire.to_broker.empty()) {
            t.shard->on_peer_closed(conn, broker::CloseReason::peer_closed);
        }
    }
    t.shard->on_time();
    t.shard->commit_turn();
    t.shard->flush();
}

void World::turns(unsigned rounds) {
    for (unsigned i = 0; i < rounds; ++i) {
        for (unsigned t = 0; t < threads_; ++t) {
            turn(t);
        }
    }
}

bool World::client_step(Client& client) {
    if (!client.connected()) {
        if (!reconnect) {
            return false;
        }
        connect(client);
        return true;
    }
    return client.step();
}

bool World::random_step(const Chances& chances) {
    const auto happens = [&](unsigned per_mille) {
        return per_mille > 0 && random_.below(1000) < per_mille;
    };
    if (crashes_ < chances.crashes_max && happens(chances.crash_per_mille)) {
        crash(random_.below(2) == 0);
        return true;
    }
    if (happens(chances.drop_per_mille) && !clients_.empty()) {
        clients_[random_.below(clients_.size())]->lose_connection();
        return true;
    }
    if (happens(chances.commit_error_per_mille)) {
        log_.fail_commit();
        return true;
    }
    switch (random_.below(4)) {
        case 0:
            return random_.below(2) == 0 ? log_.step_reader() : log_.step();
        case 1:
            return !clients_.empty() && client_step(*clients_[random_.below(clients_.size())]);
        default:
            turn(static_cast<unsigned>(random_.below(threads_)));
            return true;
    }
}

void World::run(unsigned steps, const Chances& chances) {
    for (unsigned i = 0; i < steps; ++i) {
        (void)random_step(chances);
    }
}

bool World::settle(unsigned steps_max) {
    return settle(steps_max, true);
}

bool World::settle_without_timer(unsigned steps_max) {
    return settle(steps_max, false);
}

bool World::settle(unsigned steps_max, bool timer) {
    unsigned quiet = 0;
    for (unsigned i = 0; i < steps_max && quiet < 8; ++i) {
        bool moved = log_.step(timer);
        moved = log_.step_reader() || moved;
        for (const auto& client : clients_) {
            moved = client_step(*client) || moved;
        }
        turns(1);
        const bool bytes_left = std::any_of(shards_.begin(), shards_.end(), [](const auto& t) {
            return t->shard->has_work() ||
                   std::any_of(t->host.attached.begin(), t->host.attached.end(),
                               [](const auto& a) { return !a.first->wire().to_broker.empty(); });
        });
        const bool disk_works = timer ? !log_.idle() : log_.due();
        quiet = moved || bytes_left || disk_works ? 0 : quiet + 1;
    }
    return quiet >= 8;
}

std::size_t told(const World& world, std::string_view number) {
    return static_cast<std::size_t>(
        std::count_if(world.refusals.begin(), world.refusals.end(),
                      [&](const auto& refusal) { return refusal.number == number; }));
}

}  // namespace iotsky::simulation
