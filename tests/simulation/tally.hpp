#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/simulation/client.hpp"

namespace iotsky::simulation {

/// What one subscriber got of one publisher's messages ("<publisher>:<number>"), kept small however
/// many there are.
class Tally {
  public:
    /// `exactly_once`: QoS 2 all the way.
    Tally(std::string publisher, bool exactly_once)
        : publisher_(std::move(publisher)), exactly_once_(exactly_once) {}

    /// Messages of others are passed over.
    void take(const Client::Delivery& delivery);
    /// Of those acknowledged to the publisher, how many never came.
    [[nodiscard]] unsigned missing(const std::set<unsigned>& acknowledged) const;
    /// Their numbers, with the publisher's name: for people.
    [[nodiscard]] std::string missing_text(const std::set<unsigned>& acknowledged) const;

    [[nodiscard]] unsigned delivered() const noexcept { return delivered_; }
    /// Repetitions, where there must be none.
    [[nodiscard]] unsigned twice() const noexcept { return twice_; }
    /// First deliveries behind a later message's [MQTT-4.6.0-6].
    [[nodiscard]] unsigned disorder() const noexcept { return disorder_; }

  private:
    [[nodiscard]] bool has(unsigned number) const { return number < seen_.size() && seen_[number]; }

    std::string publisher_;
    bool exactly_once_;
    std::vector<bool> seen_;
    unsigned last_ = 0;
    unsigned delivered_ = 0;
    unsigned twice_ = 0;
    unsigned disorder_ = 0;
};

/// What subscribers got, added up.
struct Outcome {
    unsigned lost = 0;  ///< acknowledged and never delivered
    unsigned twice = 0;
    unsigned order = 0;
    unsigned delivered = 0;

    /// `exactly_once`: QoS 2 all the way.
    void add(const Client& publisher, const Client& subscriber, bool exactly_once);
};

}  // namespace iotsky::simulation
