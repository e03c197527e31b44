#include "broker/me_service.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "broker/identity.hpp"

namespace iotsky::broker {
namespace {

// An offer: whoever does not ask for `$me` needs nothing beyond the standard [MQTT-7.0.0-2].
class MeService final : public Service {
  public:
    [[nodiscard]] std::string_view name() const noexcept override { return "me"; }

    [[nodiscard]] ServiceReplies on_subscribe(std::string_view filter, const Identity& identity,
                                              WallTime now) override {
        const std::string& root = identity.alias.reserved_root;
        if (root.empty() || !filter.starts_with(root) || filter.size() <= root.size() ||
            filter[root.size()] != '/') {
            return {};
        }
        const std::string_view below = filter.substr(root.size() + 1);
        ServiceReplies replies;
        if (below == "time" || below == "#" || below == "+") {
            replies.push_back({root + "/time", time_json(now), 0, false});
        }
        if (below == "info" || below == "#" || below == "+") {
            replies.push_back({root + "/info", info_json(identity), 0, false});
        }
        return replies;
    }

  private:
    static std::string time_json(WallTime now) {
        const auto since =
            std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
        boost::json::object time;
        time["unix"] = since / 1000;
        time["ms"] = since % 1000;
        time["zone"] = "UTC";
        return boost::json::serialize(time);
    }

    static std::string info_json(const Identity& identity) {
        boost::json::object info;
        info["path"] = identity.name;
        info["class"] = identity.class_name;
        info["thing_id"] = identity.thing_id;
        info["root"] = identity.alias.root;
        if (identity.limits) {
            info["limits"] = {{"messages_per_second", identity.limits->messages_per_second},
                              {"burst", identity.limits->burst},
                              {"payload_bytes_max", identity.limits->payload_bytes_max},
                              {"retained_max", identity.limits->retained_max},
                              {"queue_bytes_max", identity.limits->queue_bytes_max}};
        }
        if (identity.valid_until) {
            info["valid_until"] = format_utc(*identity.valid_until);
        }
        return boost::json::serialize(info);
    }
};

}  // namespace

std::unique_ptr<Service> make_me_service() {
    return std::make_unique<MeService>();
}

}  // namespace iotsky::broker
