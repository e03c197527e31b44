#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace iotsky::provisioning {

/// Hands out animal names, each once: "otter", "heron", ... then "otter2". Their order depends on
/// the seed (the class), not on the roster, so that it tells nothing about who is who, and a dry
/// run shows the names that the import will give. Confined.
class Pseudonyms {
  public:
    explicit Pseudonyms(std::uint64_t seed);
    /// Never handed out (again).
    void take(std::string_view name) { taken_.emplace(name); }
    [[nodiscard]] std::string next();

  private:
    std::vector<std::string_view> order_;
    std::set<std::string, std::less<>> taken_;
    std::size_t position_ = 0;
};

}  // namespace iotsky::provisioning
