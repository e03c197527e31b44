#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/durable_log.hpp"
#include "broker/identity.hpp"
#include "broker/options.hpp"
#include "broker/service.hpp"
#include "broker/shard.hpp"
#include "broker/shared.hpp"

namespace iotsky::broker {

/// One live Network Connection, for people.
struct ConnectionSummary {
    std::string client_id;
    std::string identity;  ///< Identity::name
    std::string class_name;
    std::string thing_id;
    std::string certificate_id;
    std::string address;
    std::uint16_t port = 0;
    std::string listener;
    bool tls = false;
    std::string tls_version;
    WallTime since{};
    std::uint16_t keep_alive_s = 0;
    bool clean_session = true;
    std::uint64_t publishes_in = 0;
    std::uint64_t publishes_out = 0;
    std::size_t queued = 0;
    std::size_t in_flight = 0;  ///< sent and not acknowledged yet
};

/// One session, on- or offline, for people.
struct SessionSummary {
    struct Filter {
        std::string filter;  ///< as the client wrote it
        std::uint8_t qos = 0;
        bool masked = false;
    };
    SessionRef ref;
    Sid sid = 0;
    std::string client_id;
    std::string identity;
    std::string class_name;
    std::string thing_id;
    bool connected = false;
    WallTime since{};                 ///< when it began
    std::size_t queued_messages = 0;  ///< in flight included
    std::size_t queued_bytes = 0;
    std::size_t in_flight = 0;
    bool clean_session = true;
    Durability durability = Durability::durable;  ///< memory for one that ends with its connection
    std::size_t queue_bytes_max = 0;
    std::uint64_t dropped_quota = 0;    ///< a quota was full
    std::uint64_t dropped_expired = 0;  ///< waited in the queue for too long
    std::uint64_t dropped_denied = 0;   ///< not allowed any more when it was delivered
    std::uint64_t dropped_output = 0;   ///< QoS 0 for a reader that is too slow
    std::vector<Filter> filters;
};

/// The data plane as one thing: what its threads share, and what others ask of it. Every question
/// is posted to the io threads and answered by a callback on one of them; nobody waits. Thread:
/// any.
class Broker {
  public:
    Broker(Options options, unsigned threads, DurableLog& log, IdentityDirectory& identities,
           RefusalSink& refusals, Random& random);
    ~Broker();

    /// Before the first thread starts.
    void add_service(std::unique_ptr<Service> service);
    [[nodiscard]] Shared& shared() noexcept { return shared_; }
    [[nodiscard]] const Shared& shared() const noexcept { return shared_; }

    /// The registry's view has changed for these session scopes; `effective` is called once every
    /// thread applies it.
    void change_rights(std::vector<std::string> scopes, std::function<void()> effective);

    void connections(std::function<void(std::vector<ConnectionSummary>)> answer);
    /// Closes the connections that `which` picks; answers with how many. Their Wills are published.
    void kick(std::function<bool(const ConnectionSummary&)> which,
              std::function<void(std::size_t)> answer);
    void sessions(bool with_filters, std::function<void(std::vector<SessionSummary>)> answer);
    /// Ends a session and its connection; answers false if it is gone, else when that is durable.
    void drop_session(SessionRef session, std::function<void(bool)> answer);
    /// A message of the broker's own; answers when it is durable. `topic` must be a valid canonical
    /// Topic Name.
    void publish(ServiceReply message, std::function<void()> durable);
    /// Clears the retained messages that match; answers with how many when that is durable.
    void clear_retained(std::string filter, std::function<void(std::size_t)> answer);

    /// Sums over all threads.
    [[nodiscard]] std::uint64_t total(Count ShardStats::*counter) const;

  private:
    Shared shared_;
};

}  // namespace iotsky::broker
