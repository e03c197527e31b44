#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/backups.hpp"
#include "api/broker_admin.hpp"
#include "api/machine.hpp"

/// The broker and the program around it, as handlers see them: answers at once, from memory.
namespace iotsky::api {

class FakeBroker final : public BrokerAdmin {
  public:
    void connections(ClientSelector which, std::size_t limit,
                     Answer<std::vector<ConnectionInfo>> answer) override {
        std::vector<ConnectionInfo> out;
        for (const ConnectionInfo& info : live) {
            if (matches(which, info) && out.size() < limit) {
                out.push_back(info);
            }
        }
        answer(std::move(out));
    }
    void kick(ClientSelector which, Answer<std::uint64_t> answer) override {
        answer(std::erase_if(live, [&](const auto& info) { return matches(which, info); }));
    }
    void sessions(ClientSelector which, std::size_t limit,
                  Answer<std::vector<SessionInfo>> answer) override {
        std::vector<SessionInfo> out;
        for (const auto& [id, info] : stored) {
            if ((!which.thing_path || *which.thing_path == info.thing_path) && out.size() < limit) {
                out.push_back(info);
            }
        }
        answer(std::move(out));
    }
    void session(std::string id, Answer<SessionInfo> answer) override {
        const auto found = stored.find(id);
        found == stored.end() ? answer(missing()) : answer(found->second);
    }
    void drop_session(std::string id, Answer<void> answer) override {
        stored.erase(id) == 0 ? answer(missing()) : answer({});
    }
    void retained(std::string /*filter*/, std::string after, std::size_t limit,
                  Answer<std::vector<RetainedInfo>> answer) override {
        std::vector<RetainedInfo> out;
        for (const auto& [topic, info] : retained_messages) {
            if (topic > after && out.size() < limit) {
                out.push_back(info);
            }
        }
        answer(std::move(out));
    }
    void delete_retained(std::string /*filter*/, Answer<std::uint64_t> answer) override {
        const std::uint64_t count = retained_messages.size();
        retained_messages.clear();
        answer(count);
    }
    void publish(PublishOrder order, Answer<std::uint64_t> answer) override {
        published.push_back(std::move(order));
        answer(std::uint64_t{1});
    }
    void stats(Answer<BrokerStats> answer) override {
        if (silent) {
            kept = std::move(answer);
            return;
        }
        answer(counters);
    }

    std::vector<ConnectionInfo> live;
    std::map<std::string, SessionInfo> stored;
    std::map<std::string, RetainedInfo> retained_messages;
    std::vector<PublishOrder> published;
    BrokerStats counters;
    bool silent = false;  ///< never answers stats()
    Answer<BrokerStats> kept;

  private:
    static Error missing() {
        return make_error(Errc::not_found, "E3510", "No such session.", "It ended.",
                          "iotsky session list");
    }
    static bool matches(const ClientSelector& which, const ConnectionInfo& info) {
        return (!which.client_id || *which.client_id == info.client_id) &&
               (!which.thing_path || *which.thing_path == info.thing_path) &&
               (!which.class_name || info.thing_path.starts_with(*which.class_name + "/"));
    }
};

class FakeMachine final : public Machine {
  public:
    [[nodiscard]] MachineStatus status() const override { return facts; }
    [[nodiscard]] std::vector<ConfigValue> config() const override {
        return {{"server.names", R"(["iotsky.local"])", "default"}};
    }
    [[nodiscard]] Result<void> check_config(std::string_view toml) const override {
        if (toml.find("unknown") == std::string_view::npos) {
            return {};
        }
        Error error = make_error(Errc::invalid_argument, "E1110", "Unknown key.", "Not a setting.",
                                 "Did you mean ...?");
        error.fields.push_back({"line 1, column 1", "unknown key"});
        return error;
    }
    [[nodiscard]] Result<ReloadReport> reload_config() override {
        return ReloadReport{{"defaults.class.burst"}, {"listener.mqtts.bind"}};
    }

    MachineStatus facts;
};

/// Backups that are done as soon as they are begun.
class FakeBackups final : public Backups {
  public:
    [[nodiscard]] Result<BackupInfo> begin(SecretString passphrase) override {
        BackupInfo info;
        info.name = "made-" + std::to_string(made.size());
        info.state = "running";
        info.encrypted = !passphrase.empty();
        made.push_back(info);
        made.back().state = "done";
        return info;
    }
    [[nodiscard]] Result<BackupInfo> show(const std::string& name) override {
        for (const BackupInfo& info : made) {
            if (info.name == name) {
                return info;
            }
        }
        return missing();
    }
    [[nodiscard]] std::vector<BackupInfo> list() override { return made; }
    [[nodiscard]] Result<void> remove(const std::string& name) override {
        const auto before = made.size();
        std::erase_if(made, [&](const BackupInfo& info) { return info.name == name; });
        return made.size() < before ? Result<void>{} : missing();
    }

    std::vector<BackupInfo> made;

  private:
    static Error missing() {
        return make_error(Errc::not_found, "E5111", "No such backup.", "It is gone.",
                          "iotsky backup list");
    }
};

}  // namespace iotsky::api
