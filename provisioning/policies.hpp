#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/core.hpp"

namespace iotsky::provisioning {

/// A target as people name it: "7b/otter/weather", a certificate's id or serial, "7b/otter", "7b".
struct TargetName {
    TargetKind kind = TargetKind::thing;
    std::string name;
};

struct PolicyDetails {
    PolicyRecord record;
    std::string document;                ///< of the default version
    std::vector<std::int64_t> versions;  ///< rising
    std::vector<TargetName> targets;     ///< what was deleted meanwhile is left out
};

/// Policies: AWS-IoT-style documents in versions, attached to things, certificates, projects and
/// classes. Thread: `work`.
class Policies {
  public:
    explicit Policies(Core& core) noexcept : core_(core) {}

    /// Errors: E3110-E3112 the document with position, E3123 there is one, E4104 the name.
    [[nodiscard]] Result<PolicyRecord> create(const Caller& caller, const std::string& name,
                                              std::string_view document);
    [[nodiscard]] Result<Listing<PolicyRecord>> list(const Caller& caller, const PageRequest& page);
    [[nodiscard]] Result<PolicyDetails> show(const Caller& caller, std::string_view policy);
    [[nodiscard]] Result<std::vector<PolicyVersionRecord>> versions(const Caller& caller,
                                                                    std::string_view policy);
    /// Error: E3124 no such version.
    [[nodiscard]] Result<PolicyVersionRecord> version(const Caller& caller, std::string_view policy,
                                                      std::int64_t version);
    /// Error: E3125 five versions already.
    [[nodiscard]] Result<Changed<PolicyVersionRecord>> add_version(const Caller& caller,
                                                                   std::string_view policy,
                                                                   std::string_view document,
                                                                   bool set_default);
    [[nodiscard]] Result<Changed<PolicyRecord>> set_default(const Caller& caller,
                                                            std::string_view policy,
                                                            std::int64_t version);
    /// Error: E3126 the default version stays.
    [[nodiscard]] Result<void> remove_version(const Caller& caller, std::string_view policy,
                                              std::int64_t version);
    /// Error: E3127 still attached.
    [[nodiscard]] Result<void> remove(const Caller& caller, std::string_view policy,
                                      std::optional<Rev> if_rev = {});
    /// Attaching twice and detaching what is not attached are not errors.
    [[nodiscard]] Result<Changed<TargetName>> attach(const Caller& caller, std::string_view policy,
                                                     const TargetName& target);
    [[nodiscard]] Result<Changed<TargetName>> detach(const Caller& caller, std::string_view policy,
                                                     const TargetName& target);

  private:
    Core& core_;
};

/// Stores a document under a name: a new policy, or a new default version when the name is known
/// and the document another. Errors: E3110-E3112, E3125.
[[nodiscard]] Result<void> store_document(Core& core, const Caller& caller, const std::string& name,
                                          std::string_view document);

}  // namespace iotsky::provisioning
