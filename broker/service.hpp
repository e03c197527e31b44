#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "broker/ids.hpp"

namespace iotsky::broker {

class ControlLane;
class ServiceCalls;
struct Identity;

/// SessionRef::thread of a service's entries in the topic index (slot is its place in the
/// ServiceTable): it runs on whichever thread publishes.
inline constexpr std::uint8_t kServiceThread = 0xff;

/// A PUBLISH that reached a service. Views live during the call.
struct ServiceMessage {
    std::string_view topic;  ///< canonical
    std::span<const std::byte> payload;
    std::uint8_t qos = 0;
    const Identity* publisher = nullptr;  ///< null for the broker's own messages
    WallTime time{};
};

/// What a service wants sent, through the ordinary route of the thread that called it.
struct ServiceReply {
    std::string topic;
    std::string payload;
    std::uint8_t qos = 0;
    bool retain = false;
};

/// Answers a message; records of its replies belong to the same turn, so the acknowledgement of the
/// PUBLISH that caused them waits for them.
using ServiceReplies = std::vector<ServiceReply>;

/// An answer that a service owes. It is given once, from any thread; a ticket that is destroyed
/// without says that the service does not answer, as if its time were over. Move-only.
class ServiceTicket {
  public:
    ServiceTicket() noexcept = default;
    ServiceTicket(std::shared_ptr<ControlLane> lane, std::uint32_t call) noexcept;
    ServiceTicket(ServiceTicket&& other) noexcept { *this = std::move(other); }
    ServiceTicket& operator=(ServiceTicket&& other) noexcept;
    ~ServiceTicket();

    /// Sends the replies and lets the acknowledgement of the PUBLISH go, once they are durable.
    void complete(ServiceReplies replies);

  private:
    std::shared_ptr<ControlLane> lane_;
    std::uint32_t call_ = 0;
};

/// One message that a service looks at, while on_publish() runs.
class ServiceCall {
  public:
    /// `number`: of the call, 0 until a service asks for more time.
    ServiceCall(ServiceCalls& calls, std::uint32_t& number) noexcept
        : calls_(calls), number_(number) {}
    /// The answer comes later, at the latest after `Limits::service_timeout`: then the publisher's
    /// connection is closed without an acknowledgement, and it will ask again. So a service must
    /// bear to be asked twice.
    [[nodiscard]] ServiceTicket later();

  private:
    ServiceCalls& calls_;
    std::uint32_t& number_;
};

/// A handler inside the broker for topics that start with `$` (`decisions.md` 20): `$me/info`,
/// `$me/time`, `$SYS`, later the `$aws` services. Called on io threads, several at once:
/// implementations are synchronised or stateless.
class Service {
  public:
    virtual ~Service() = default;
    /// Name for logs.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;
    /// Topic Filters (canonical) whose messages it consumes; entered into the topic index as
    /// targets of kind service.
    [[nodiscard]] virtual std::vector<std::string> filters() const { return {}; }
    /// A message matched one of filters(). Must not wait: what takes time is done elsewhere, with a
    /// ticket of `call` for the answer.
    [[nodiscard]] virtual ServiceReplies on_publish(const ServiceMessage& message,
                                                    ServiceCall& call) {
        (void)message;
        (void)call;
        return {};
    }
    /// A session subscribed to a canonical filter: what it gets at once, to this session alone,
    /// like a retained message (RETAIN 1).
    [[nodiscard]] virtual ServiceReplies on_subscribe(std::string_view filter,
                                                      const Identity& identity, WallTime now) {
        (void)filter;
        (void)identity;
        (void)now;
        return {};
    }
    /// Called about once a second on thread 0.
    [[nodiscard]] virtual ServiceReplies on_tick(TimePoint now, WallTime wall) {
        (void)now;
        (void)wall;
        return {};
    }
};

/// The services of a broker; filled before the first thread starts, constant afterwards.
class ServiceTable {
  public:
    void add(std::unique_ptr<Service> service) { services_.push_back(std::move(service)); }
    [[nodiscard]] std::size_t size() const noexcept { return services_.size(); }
    [[nodiscard]] Service& at(std::size_t i) const noexcept { return *services_[i]; }

  private:
    std::vector<std::unique_ptr<Service>> services_;
};

}  // namespace iotsky::broker
