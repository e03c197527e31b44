#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.hpp"
#include "provisioning/core.hpp"
#include "provisioning/pipeline.hpp"

namespace iotsky::provisioning {

struct StepInfo {
    std::string name;
    std::string summary;
};

enum class ChainMode : std::uint8_t {
    dry_run,  ///< on this registry as it is; nothing is reserved, signed or kept
    scratch,  ///< as dry_run, but class, thing and certificate that the event names are imagined
    real,     ///< kept, its events published
};

struct ChainOutcome {
    std::vector<std::string> steps;   ///< that ran
    std::vector<std::string> events;  ///< JSON objects, in their order; the last is the outcome
    std::optional<SecretString> private_key;  ///< made in real mode with "key":"server"
};

/// Runs one step, or a chain, on an event given as JSON (docs/provisioning.md): what
/// `iotsky chain run` does. Thread: `work`.
class Chain {
  public:
    Chain(Core& core, const Pipeline& create_thing) noexcept
        : core_(core), create_thing_(create_thing) {}

    [[nodiscard]] std::vector<StepInfo> steps() const;
    /// Names of whole chains: "create-thing".
    [[nodiscard]] static std::vector<std::string> chains();
    /// Errors: E4101, E4104 the event; E4129 no such step; those of the step.
    [[nodiscard]] Result<ChainOutcome> run_step(const Caller& caller, std::string_view step,
                                                std::string_view event_json, ChainMode mode);
    /// Error: E4129 no such chain.
    [[nodiscard]] Result<ChainOutcome> run_chain(const Caller& caller, std::string_view chain,
                                                 std::string_view event_json, ChainMode mode);

  private:
    [[nodiscard]] Result<Order> order_for(const Caller& caller, std::string_view event_json,
                                          ChainMode mode);

    Core& core_;
    const Pipeline& create_thing_;
};

}  // namespace iotsky::provisioning
