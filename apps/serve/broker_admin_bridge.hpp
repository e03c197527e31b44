#pragma once

#include <functional>
#include <memory>

#include "api/broker_admin.hpp"
#include "base/clock.hpp"
#include "broker/broker.hpp"

namespace iotsky::net {
class DataPlane;
}

namespace iotsky::apps {

class RefusalBridge;

/// The broker as the HTTP endpoint asks it. Answers come on io threads. Any thread.
class BrokerAdminBridge final : public api::BrokerAdmin {
  public:
    /// All outlive the bridge. `listener_protocol` names the protocol of a listener ("mqtts");
    /// `things_max`: things in stats() by name.
    BrokerAdminBridge(broker::Broker& broker, const net::DataPlane& plane,
                      const RefusalBridge& refusals,
                      std::function<std::string(const std::string& listener)> listener_protocol,
                      std::size_t things_max);

    void connections(api::ClientSelector which, std::size_t limit,
                     api::Answer<std::vector<api::ConnectionInfo>> answer) override;
    void kick(api::ClientSelector which, api::Answer<std::uint64_t> answer) override;
    void sessions(api::ClientSelector which, std::size_t limit,
                  api::Answer<std::vector<api::SessionInfo>> answer) override;
    void session(std::string id, api::Answer<api::SessionInfo> answer) override;
    void drop_session(std::string id, api::Answer<void> answer) override;
    void retained(std::string filter, std::string after, std::size_t limit,
                  api::Answer<std::vector<api::RetainedInfo>> answer) override;
    void delete_retained(std::string filter, api::Answer<std::uint64_t> answer) override;
    void publish(api::PublishOrder order, api::Answer<std::uint64_t> answer) override;
    void stats(api::Answer<api::BrokerStats> answer) override;

  private:
    [[nodiscard]] api::ConnectionInfo info_of(const broker::ConnectionSummary& summary) const;

    broker::Broker& broker_;
    const net::DataPlane& plane_;
    const RefusalBridge& refusals_;
    const std::function<std::string(const std::string&)> listener_protocol_;
    const std::size_t things_max_;
};

/// Whether a connection or session is among those that `which` names. Pure; for tests, too.
[[nodiscard]] bool selects(const api::ClientSelector& which,
                           const broker::ConnectionSummary& summary);
[[nodiscard]] bool selects(const api::ClientSelector& which, const broker::SessionSummary& summary);

/// "s" and 16 hexadecimal digits of the session's place; stable while it lives.
[[nodiscard]] std::string format_session(broker::SessionRef ref);
[[nodiscard]] std::optional<broker::SessionRef> parse_session(std::string_view text);

}  // namespace iotsky::apps
