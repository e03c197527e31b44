#pragma once

#include <string>
#include <vector>

#include "tests/simulation/model/reference.hpp"
#include "tests/simulation/model/script.hpp"
#include "tests/simulation/world.hpp"

namespace iotsky::simulation {

/// What a trial is played with.
struct Setting {
    std::uint64_t seed = 1;
    LogOptions log{};
    bool small_memory = false;  ///< most of a queue is on disk alone
    BrokenRule broken = BrokenRule::none;
};

/// Plays a script with the broker and with the reference, and compares what every client hears
/// after each action.
class Trial {
  public:
    explicit Trial(const Setting& setting);
    /// Empty, or what differed, and at which action.
    [[nodiscard]] std::string play(const Script& script);

  private:
    /// Does it and compares; empty, or what differed.
    [[nodiscard]] std::string act(const Action& action);
    void act_connected(Puppet& client, const Action& action);
    void connect(Puppet& client, const Action& action);
    void interrupted(Puppet& client, const Action& action);
    void publish(Puppet& client, const Action& action);
    void send_publish(Puppet& client, const Reference::Message& message, std::uint16_t id,
                      bool dup);
    void lose(Puppet& client);
    void crash(bool applied);
    [[nodiscard]] std::string settled();
    [[nodiscard]] std::string unique() { return std::to_string(++serial_); }

    World world_;
    Reference reference_;
    std::vector<Puppet> clients_;
    std::vector<std::shared_ptr<Wire>> ended_;  ///< the broker is to close them in this action
    unsigned serial_ = 0;
};

/// The shortest script that still fails, by leaving parts out again and again.
[[nodiscard]] Script shrink(const Setting& setting, Script script);

}  // namespace iotsky::simulation
