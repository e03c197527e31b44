#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "broker/broker.hpp"
#include "tests/simulation/client.hpp"
#include "tests/simulation/log.hpp"

namespace iotsky::simulation {

/// The registry's view: who has which rights now. A user name is a principal of its own.
class Directory final : public broker::IdentityDirectory {
  public:
    explicit Directory(std::string policy);
    [[nodiscard]] broker::Admission admit(const broker::PeerInfo& peer,
                                          const mqtt::ConnectView& connect) override;
    [[nodiscard]] broker::Admission refresh(const broker::Identity& identity) override;
    [[nodiscard]] broker::Admission recall(std::string_view scope) override;

    void set_policy(const std::string& scope, const std::string& policy);
    void revoke(const std::string& scope) { revoked_[scope] = true; }
    /// A thing of a class instead of a policy: default rights and `$me`.
    void set_thing(const std::string& scope, const acl::ClassRights& rights,
                   const std::optional<broker::ThingLimits>& limits = {},
                   bool disconnect_on_denied_publish = false);

  private:
    [[nodiscard]] broker::Admission of(std::string_view scope);
    std::string default_policy_;
    std::map<std::string, std::shared_ptr<const broker::Identity>, std::less<>> identities_;
    std::map<std::string, bool, std::less<>> revoked_;
};

inline constexpr const char* kAllowAll =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";

struct Chances {
    unsigned drop_per_mille = 0;
    unsigned crash_per_mille = 0;
    unsigned commit_error_per_mille = 0;
    unsigned crashes_max = 0;
    unsigned bytes_per_read = 64;  ///< a turn reads 1 to this many bytes of a connection
};

/// N io threads, mailboxes, log, disk, clock, network and clients in one OS thread, driven by one
/// seed: every failure plays again.
class World {
  public:
    World(std::uint64_t seed, unsigned threads, LogOptions log = {}, broker::Options options = {},
          std::string policy = kAllowAll);
    ~World();

    Client& add(ClientOptions options);
    /// Random steps with faults.
    void run(unsigned steps, const Chances& chances);
    /// No more faults: everybody reconnects, until nothing moves any more. False if that does not
    /// end.
    [[nodiscard]] bool settle(unsigned steps_max = 200'000);
    /// The same while the disk writes only what somebody waits for: all answers come all the same.
    [[nodiscard]] bool settle_without_timer(unsigned steps_max = 200'000);
    /// One turn of one thread; of all threads `rounds` times.
    void turn(unsigned thread);
    void turns(unsigned rounds = 4);
    void crash(bool applied);
    void advance(std::chrono::milliseconds by) { now_ += by; }
    /// `listener` empty: the client's own.
    void connect(Client& client, const std::string& listener = {},
                 const std::string& address = "192.0.2.1");
    /// A service of the broker, also after a crash.
    using ServiceMaker = std::function<std::unique_ptr<broker::Service>()>;
    void add_service(ServiceMaker make);
    /// When a thread that sleeps wants to be woken.
    [[nodiscard]] std::optional<TimePoint> next_deadline(unsigned thread) const;
    [[nodiscard]] TimePoint now() const { return now_; }
    /// Bytes of queued messages that memory holds.
    [[nodiscard]] std::size_t queue_memory() const;
    /// Whether a thread would sleep now; an idle one must, or it spins.
    [[nodiscard]] bool would_sleep(unsigned thread);
    /// A connection without a client behind it.
    [[nodiscard]] std::shared_ptr<Wire> open_raw(const std::string& listener = "sim",
                                                 unsigned thread = 0);

    [[nodiscard]] broker::Broker& broker() { return *broker_; }
    [[nodiscard]] Log& log() { return log_; }
    [[nodiscard]] Directory& directory() { return directory_; }
    [[nodiscard]] SeededRandom& random() { return random_; }
    [[nodiscard]] unsigned crashes() const { return crashes_; }
    std::vector<broker::Refusal> refusals;
    bool reads_all = false;  ///< a turn reads all that came, not a few bytes of it
    bool reconnect = true;   ///< clients whose connection is lost come back by themselves

  private:
    class Transport;
    class Host;
    class Sink;
    struct Thread;
    void start();
    void stop();
    bool random_step(const Chances& chances);
    bool client_step(Client& client);
    bool settle(unsigned steps_max, bool timer);

    SeededRandom random_;
    unsigned threads_;
    broker::Options options_;
    Directory directory_;
    std::unique_ptr<broker::RefusalSink> sink_;
    Log log_;
    std::unique_ptr<broker::Broker> broker_;
    std::vector<std::unique_ptr<Thread>> shards_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<ServiceMaker> services_;
    TimePoint now_{std::chrono::hours{1}};
    unsigned crashes_ = 0;
};

/// A new client of the listener, connected; whatever that causes is over.
Client& connected(World& world, ClientOptions options, const std::string& listener = {});
/// How often the refusal of this number was told.
[[nodiscard]] std::size_t told(const World& world, std::string_view number);

}  // namespace iotsky::simulation
