#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/connection.hpp"
#include "broker/identity.hpp"
#include "broker/mailbox.hpp"
#include "broker/mqtt/packet.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// A CONNECT that outlives the read buffer: what travels with a transport to its home thread.
struct ConnectRequest {
    explicit ConnectRequest(const mqtt::ConnectView& view);
    /// The same as a view; lives while this does.
    [[nodiscard]] mqtt::ConnectView view() const;

    std::uint8_t level = mqtt::kLevel311;
    bool clean_session = true;
    std::uint16_t keep_alive_s = 0;
    std::string client_id;
    std::optional<Will> will;
    std::optional<std::string> user_name;
    std::optional<std::string> password;
};

/// CONNECT: who may come in, on which thread, into which session. Confined to the thread.
class ConnectHandler {
  public:
    explicit ConnectHandler(Shard::Impl& shard) noexcept : s_(shard) {}

    /// On the landing thread: looks the peer up and admits it here, or hands its transport to the
    /// session's home thread. `rest` are bytes behind CONNECT that were read already.
    ///
    /// A client that is here already waits for one turn, which reads what had come from its older
    /// connection: a DISCONNECT that it sent before this CONNECT counts, and no Will is published.
    void on_connect(Connection& connection, const mqtt::ConnectView& connect,
                    std::span<const std::byte> rest);
    /// On the home thread: a transport arrived.
    void adopt(std::unique_ptr<Transport> transport, const ConnectRequest& request,
               std::span<const std::byte> rest, TimePoint accepted_at);
    /// A transport arrived whose client is here: true, and it is noted, when it waits for a turn.
    [[nodiscard]] bool must_wait(std::string_view scope, std::string_view client_id);
    /// It has.
    void waited(std::string_view scope, std::string_view client_id);

  private:
    /// Whether the session has a connection on this thread, or one that waits to take it over.
    [[nodiscard]] bool is_here(std::string_view scope, std::string_view client_id);
    void admit(Connection& connection, const mqtt::ConnectView& connect);
    void hand_over(Connection& connection, ThreadId home, const std::string& scope,
                   const mqtt::ConnectView& connect, std::span<const std::byte> rest);
    void refuse(Connection& connection, const Admission& why);
    [[nodiscard]] std::string make_client_id();
    [[nodiscard]] bool connect_allowed(Connection& connection, const mqtt::ConnectView& connect,
                                       const Identity& identity, const acl::AuthContext& rights);
    /// A client with this session is connected already: whether the newcomer takes over. When not,
    /// both are told.
    [[nodiscard]] bool may_take_over(Connection& newcomer, Session& session,
                                     const std::shared_ptr<const Identity>& identity);
    /// `existing`: the session that the client has, or null. `present`: it goes on with that one.
    Session& enter_session(Session* existing, const mqtt::ConnectView& connect,
                           const Identity& identity, const ConnectionLimits& limits, bool& present);
    void set_durability(Session& session);
    void set_will(Session& session, const mqtt::ConnectView& connect);

    Shard::Impl& s_;
    std::multiset<std::string> waiting_;  ///< session keys of transports that wait for a turn
};

}  // namespace iotsky::broker
