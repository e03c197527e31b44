#include "broker/sys_topics.hpp"

#include <map>
#include <utility>
#include <vector>

namespace iotsky::broker {
namespace {

constexpr std::chrono::seconds kEvery{10};

class SysTopics final : public Service {
  public:
    SysTopics(const Shared& shared, std::string version, TimePoint started)
        : shared_(shared), version_(std::move(version)), started_(started), next_(started) {}

    [[nodiscard]] std::string_view name() const noexcept override { return "sys"; }

    [[nodiscard]] ServiceReplies on_tick(TimePoint now, WallTime /*wall*/) override {
        if (now < next_) {
            return {};
        }
        next_ = now + kEvery;
        ServiceReplies replies;
        for (auto& [topic, value] : values(now)) {
            std::string& last = published_[topic];
            if (last != value) {
                last = value;
                replies.push_back({"$SYS/" + topic, std::move(value), 0, true});
            }
        }
        return replies;
    }

  private:
    using Values = std::vector<std::pair<std::string, std::string>>;

    [[nodiscard]] std::uint64_t sum(Count ShardStats::*counter) const {
        std::uint64_t total = 0;
        for (const auto& stats : shared_.stats) {
            total += ((*stats).*counter).get();
        }
        return total;
    }
    [[nodiscard]] std::uint64_t sum(std::array<Count, 3> ShardStats::*counters) const {
        std::uint64_t total = 0;
        for (const auto& stats : shared_.stats) {
            for (const Count& count : (*stats).*counters) {
                total += count.get();
            }
        }
        return total;
    }

    [[nodiscard]] Values values(TimePoint now) {
        const std::uint64_t connected = sum(&ShardStats::connections);
        const std::uint64_t sessions = sum(&ShardStats::sessions);
        connected_max_ = std::max(connected_max_, connected);
        Values v;
        const auto add = [&](std::string topic, std::uint64_t n) {
            v.emplace_back(std::move(topic), std::to_string(n));
        };
        v.emplace_back("broker/version", "iotsky version " + version_);
        v.emplace_back(
            "broker/uptime",
            std::to_string(
                std::chrono::duration_cast<std::chrono::seconds>(now - started_).count()) +
                " seconds");
        add("broker/clients/connected", connected);
        add("broker/clients/disconnected", sessions > connected ? sessions - connected : 0);
        add("broker/clients/total", std::max(sessions, connected));
        add("broker/clients/maximum", connected_max_);
        add("broker/messages/received", sum(&ShardStats::packets_in));
        add("broker/publish/messages/received", sum(&ShardStats::publishes_in));
        add("broker/publish/messages/sent", sum(&ShardStats::publishes_out));
        add("broker/publish/messages/dropped",
            sum(&ShardStats::dropped_quota) + sum(&ShardStats::dropped_expired) +
                sum(&ShardStats::dropped_output) + sum(&ShardStats::dropped_denied));
        add("broker/publish/bytes/received", sum(&ShardStats::payload_bytes_in));
        add("broker/bytes/received", sum(&ShardStats::bytes_in));
        add("broker/bytes/sent", sum(&ShardStats::bytes_out));
        add("broker/subscriptions/count", sum(&ShardStats::subscriptions));
        add("broker/retained messages/count", shared_.retained.size());
        add("broker/store/messages/count", sum(&ShardStats::queued_messages));
        add("broker/store/messages/bytes", sum(&ShardStats::queued_bytes));
        add("iotsky/refusals/total",
            sum(&ShardStats::refused_publish) + sum(&ShardStats::refused_subscribe) +
                sum(&ShardStats::refused_will) + sum(&ShardStats::connects_refused));
        return v;
    }

    const Shared& shared_;
    const std::string version_;
    const TimePoint started_;
    TimePoint next_;
    std::uint64_t connected_max_ = 0;
    std::map<std::string, std::string> published_;
};

}  // namespace

std::unique_ptr<Service> make_sys_topics(const Shared& shared, std::string version,
                                         TimePoint started) {
    return std::make_unique<SysTopics>(shared, std::move(version), started);
}

}  // namespace iotsky::broker
