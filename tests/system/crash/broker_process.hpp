#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace iotsky::crash {

/// `iotsky serve` in a folder of its own, with one plain listener for anybody. Killed at its end.
class BrokerProcess {
  public:
    struct Options {
        std::string program;
        std::filesystem::path folder;            ///< config, data and log; made by the caller
        std::vector<std::string> environment{};  ///< beside ours, "NAME=value"
    };
    explicit BrokerProcess(Options options);
    ~BrokerProcess();
    BrokerProcess(const BrokerProcess&) = delete;
    BrokerProcess& operator=(const BrokerProcess&) = delete;

    /// Returns when it takes connections. Throws with its log's last lines when it does not.
    void start();
    /// kill -9; returns when it is gone.
    void kill();
    /// SIGTERM; its exit code, and how long it took. Killed after 60 s (code -1).
    int stop(std::chrono::milliseconds& took);
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::filesystem::path data() const { return options_.folder / "data"; }
    void set_environment(std::vector<std::string> environment) {
        options_.environment = std::move(environment);
    }

  private:
    void spawn();
    [[nodiscard]] bool read_port();
    [[nodiscard]] std::string last_lines() const;

    Options options_;
    pid_t pid_ = 0;
    std::uint16_t port_ = 0;
};

}  // namespace iotsky::crash
