#pragma once

#include <cstdint>
#include <vector>

#include "provisioning/audit_chain.hpp"
#include "provisioning/core.hpp"

namespace iotsky::provisioning {

/// The outbox: events written in the transaction of the change that they tell. Published at least
/// once on `$iotsky/events/<kind>` and readable for 7 days. Thread: `work`.
class Events {
  public:
    explicit Events(Core& core) noexcept : core_(core) {}

    /// Events with a number above `seq`, rising; 1 to 1000. Errors: E4117, E4121.
    [[nodiscard]] Result<std::vector<Event>> after(const Caller& caller, std::uint64_t seq,
                                                   std::size_t limit);
    /// The highest number ever given.
    [[nodiscard]] Result<std::uint64_t> last_seq();

    /// For the MQTT publisher: the oldest events that are not marked, in their order.
    [[nodiscard]] Result<std::vector<Event>> unpublished(std::size_t limit);
    /// All up to `seq` are durable in the message store.
    [[nodiscard]] Result<void> mark_published(std::uint64_t seq);

  private:
    Core& core_;
};

/// The audit log: who did what, hash-chained. Thread: `work`.
class Audit {
  public:
    explicit Audit(Core& core) noexcept : core_(core) {}

    /// Entries above `seq`, rising; 1 to 1000.
    [[nodiscard]] Result<std::vector<AuditEntry>> after(const Caller& caller, std::uint64_t seq,
                                                        std::size_t limit);
    [[nodiscard]] Result<AuditVerdict> verify(const Caller& caller);
    /// Notes something that happened outside the registry (a bundle fetched, a CA key exported).
    [[nodiscard]] Result<void> note(const Caller& caller, std::string_view action,
                                    std::string object, std::string detail_json = "{}");

  private:
    Core& core_;
};

}  // namespace iotsky::provisioning
