#pragma once

#include "apps/serve/event_publisher.hpp"
#include "provisioning/events.hpp"

namespace iotsky::apps {

/// The registry's outbox.
class RegistryEvents final : public EventSource {
  public:
    explicit RegistryEvents(provisioning::Events& events) : events_(events) {}

    [[nodiscard]] Result<std::vector<provisioning::Event>> unpublished(std::size_t limit) override {
        return events_.unpublished(limit);
    }
    [[nodiscard]] Result<void> mark_published(std::uint64_t seq) override {
        return events_.mark_published(seq);
    }

  private:
    provisioning::Events& events_;
};

}  // namespace iotsky::apps
