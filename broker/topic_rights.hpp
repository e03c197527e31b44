#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "acl/auth_context.hpp"
#include "base/clock.hpp"
#include "broker/identity.hpp"

namespace iotsky::broker {

/// What a client may do with one Topic Name as it writes it.
struct TopicRights {
    std::string received;   ///< as the client wrote it
    std::string canonical;  ///< `$me/...` expanded; empty when that is not possible
    std::shared_ptr<const acl::AuthContext> rights;  ///< those that the verdict belongs to
    bool publish = false;
    bool retain = false;
};

/// The last topics that one connection published to, with their verdicts: devices repeat
/// themselves, so the policy is asked once per topic and change of rights. The full topic is
/// compared. Confined to its connection's thread.
class TopicRightsCache {
  public:
    /// Valid until the next call. `topic` must be a valid Topic Name.
    [[nodiscard]] const TopicRights& find(std::string_view topic, const Identity& identity,
                                          const std::shared_ptr<const acl::AuthContext>& rights,
                                          WallTime now);

  private:
    static constexpr std::size_t kEntries = 4;
    void fill(TopicRights& entry, std::string_view topic, const Identity& identity,
              const std::shared_ptr<const acl::AuthContext>& rights, WallTime now);

    std::unique_ptr<std::array<TopicRights, kEntries>> entries_;  ///< made with the first PUBLISH
    std::size_t next_ = 0;
};

}  // namespace iotsky::broker
