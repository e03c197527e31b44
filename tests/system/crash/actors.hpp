#pragma once

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "tests/simulation/tally.hpp"
#include "tests/system/crash/link.hpp"

/// Who uses the broker that is killed, and what each of them may expect of it afterwards.
namespace iotsky::crash {

using Instant = std::chrono::steady_clock::time_point;

/// What was found; all but the first two must be 0.
struct Findings {
    unsigned long acknowledged = 0;
    unsigned long delivered = 0;
    unsigned long lost = 0;            ///< acknowledged, never delivered
    std::string lost_text;             ///< which, and to whom
    unsigned long twice = 0;           ///< QoS 2, delivered again
    unsigned long disorder = 0;        ///< first deliveries behind a later one
    unsigned long sessions_lost = 0;   ///< acknowledged, and not there
    unsigned long sessions_back = 0;   ///< ended with an acknowledgement, and there
    unsigned long retained_wrong = 0;  ///< neither the acknowledged value nor the one on its way
    unsigned long unfinished = 0;      ///< publishers that never got their last answer
    unsigned long cut_off = 0;         ///< publishers that lost their connection to a full disk
    unsigned long never_refused = 0;   ///< disks that were to refuse, and acknowledgements went on
    unsigned long unbacked = 0;        ///< acknowledged while the disk refused
    unsigned long slow_reliefs = 0;    ///< disks that worked again, and no acknowledgement in time
    unsigned long strays = 0;          ///< commuters that never came back: nothing was tried

    [[nodiscard]] bool good() const noexcept {
        return lost + twice + disorder + sessions_lost + sessions_back + retained_wrong +
                   unfinished + cut_off + never_refused + unbacked + slow_reliefs + strays ==
               0;
    }
};

/// A persistent subscriber of everything. A commuter leaves every now and then.
class Subscriber {
  public:
    Subscriber(const std::string& id, std::uint8_t qos, bool commutes,
               const std::vector<std::string>& publishers);
    void step(Instant now, SeededRandom& random, std::uint16_t port);
    void stop_commuting() noexcept { commutes_ = false; }
    /// How often a commuter was back, so far.
    [[nodiscard]] unsigned returns() const noexcept { return returns_; }
    [[nodiscard]] bool commutes() const noexcept { return commutes_; }
    void note(const std::vector<std::unique_ptr<Link>>& publishers, Findings& findings) const;
    [[nodiscard]] bool has_all(const std::vector<std::unique_ptr<Link>>& publishers) const;
    [[nodiscard]] bool subscribed() const { return link_.client().subscribed; }
    [[nodiscard]] Link& link() noexcept { return link_; }

  private:
    Link link_;
    std::map<std::string, simulation::Tally> tallies_;
    bool commutes_;
    unsigned returns_ = 0;
    Instant changes_at_{};
};

/// Opens a persistent session, leaves, opens it again, ends it with Clean Session 1, and so on.
class Resident {
  public:
    explicit Resident(const std::string& id);
    void step(std::uint16_t port, Findings& findings);
    [[nodiscard]] Link& link() noexcept { return *link_; }

  private:
    void begin();
    std::string id_;
    std::unique_ptr<Link> link_;
    unsigned round_ = 0;
    std::optional<bool> exists_ = false;  ///< unknown while an answer is open
};

/// Sets and deletes one retained message.
class Keeper {
  public:
    explicit Keeper(const std::string& id);
    void step(SeededRandom& random, std::uint16_t port);
    void rest() noexcept { resting_ = true; }
    /// Whether a broker that came back may hold `value` (empty: nothing).
    [[nodiscard]] bool allows(const std::string& value) const;
    [[nodiscard]] std::string topic() const { return "state/" + id_; }
    [[nodiscard]] Link& link() noexcept { return link_; }

  private:
    std::string id_;
    Link link_;
    std::string acknowledged_;
    std::optional<std::string> on_its_way_;
    unsigned number_ = 0;
    bool resting_ = false;
};

}  // namespace iotsky::crash
