#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "api/broker_admin.hpp"
#include "api/handshake_log.hpp"
#include "base/thread.hpp"
#include "broker/identity.hpp"
#include "provisioning/refusal_log.hpp"

namespace iotsky::apps {

/// Where the broker's refusals go besides the device: the refusal history, the history of failed
/// handshakes (E32xx come from the doctor before there is an identity), the counters, and for
/// messages that a queue lost an event.
/// Synchronised; any thread, never blocks.
class RefusalBridge final : public broker::RefusalSink {
  public:
    RefusalBridge(provisioning::RefusalLog& history, api::HandshakeLog& handshakes)
        : history_(history), handshakes_(handshakes) {}

    using Publish = std::function<void(std::string topic, std::string payload)>;
    /// How events leave: any thread, never blocks. Before the first refusal.
    void publish_by(Publish publish) { publish_ = std::move(publish); }

    void refused(const broker::Refusal& refusal) override;

    /// Labels: action, number.
    [[nodiscard]] std::vector<api::LabelledCount> counts() const;
    /// Refused CONNECTs. Labels: listener, "refused", number.
    [[nodiscard]] std::vector<api::LabelledCount> connects() const;
    [[nodiscard]] std::uint64_t failed_handshakes() const noexcept {
        return failed_handshakes_.load(std::memory_order_relaxed);
    }

  private:
    provisioning::RefusalLog& history_;
    api::HandshakeLog& handshakes_;
    Publish publish_;
    std::atomic<std::uint64_t> failed_handshakes_{0};
    mutable Mutex mutex_;
    /// Both texts come from us: the sets are small.
    std::map<std::pair<std::string, std::string>, std::uint64_t> counts_ IOTSKY_GUARDED_BY(mutex_);
    /// By listener and number.
    std::map<std::pair<std::string, std::string>, std::uint64_t> connects_
        IOTSKY_GUARDED_BY(mutex_);
};

}  // namespace iotsky::apps
