#pragma once

#include "broker/durable_log.hpp"
#include "broker/session.hpp"
#include "broker/shard.hpp"

namespace iotsky::broker {

/// Loads the sessions whose home is this thread from the log, in its first turn. Confined to the
/// thread.
class Recovery final : public RecoveryVisitor {
  public:
    explicit Recovery(Shard::Impl& shard) noexcept : s_(shard) {}
    void run();

    [[nodiscard]] bool on_session(const StoredSession& stored) override;
    void on_subscription(std::string_view filter, std::uint8_t qos) override;
    void on_inbound(std::uint16_t packet_id) override;
    void on_will(std::string_view topic, std::span<const std::byte> payload, std::uint8_t qos,
                 bool retain) override;

  private:
    Shard::Impl& s_;
    Session* session_ = nullptr;  ///< the one whose rows come
    std::vector<SessionRef> loaded_;
    std::vector<SessionRef> revoked_;
};

}  // namespace iotsky::broker
