#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/system/crash/actors.hpp"
#include "tests/system/crash/broker_process.hpp"
#include "tests/system/crash/power.hpp"
#include "tests/system/crash/small_disk.hpp"

namespace iotsky::crash {

/// What happens to the broker, and under which load.
struct Options {
    std::string program;
    std::string layer;
    unsigned kills = 10;
    unsigned cuts = 0;
    unsigned full = 0;
    unsigned read_only = 0;
    unsigned rate = 5'000;
    unsigned payload = 100;
    unsigned seed = 1;
    unsigned sync_ms = 0;
    unsigned tmpfs_mib = 0;  ///< data on a tmpfs of this size, which `full` fills; 0: the layer
};

/// A broker under load, and all who know what it owes them. One thread; loopback only.
class Harness {
  public:
    explicit Harness(const Options& options);
    [[nodiscard]] Findings run();
    [[nodiscard]] std::string summary() const;

  private:
    void make_crowd();
    void prepare();
    void load_for(std::chrono::milliseconds time);
    void step();
    void wait_for_input();
    void begin_life();
    void check_retained();
    void one_kill();
    void one_cut();
    void one_refusal(const std::string& how);
    [[nodiscard]] bool load_until_silent();
    void refuse(const std::string& how) const;
    void accept() const;
    [[nodiscard]] unsigned long connects() const;
    [[nodiscard]] unsigned long acknowledged() const;
    void finish();
    void allow_messages();

    Options options_;
    SeededRandom random_;
    Folder folder_;
    SmallDisk disk_;
    BrokerProcess broker_;
    std::vector<std::unique_ptr<Link>> publishers_;
    std::vector<std::unique_ptr<Subscriber>> subscribers_;
    std::deque<Resident> residents_;
    std::deque<Keeper> keepers_;
    Findings findings_;
    Instant began_{};
    std::chrono::milliseconds loaded_{0};
    std::chrono::milliseconds slowest_start_{0};
    std::chrono::milliseconds slowest_relief_{0};
    std::chrono::milliseconds stop_took_{0};
};

}  // namespace iotsky::crash
