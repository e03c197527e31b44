#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/core.hpp"
#include "provisioning/idempotency.hpp"
#include "provisioning/pipeline.hpp"

namespace iotsky::provisioning {

struct ThingQuery {
    std::string class_name;  ///< empty: all
    std::string project;     ///< with class_name
    std::string part;        ///< of the path
};

struct ThingChange {
    std::optional<std::string> name;  ///< renames: topics change, sessions stay
    std::optional<std::optional<std::string>> board;
    std::optional<std::optional<std::string>> type;
    std::optional<Attributes> attributes;  ///< the whole map
};

struct ThingDetails {
    ThingRecord record;
    std::vector<CertificateRecord> certificates;  ///< newest last
    std::vector<std::string> policies;            ///< attached to the thing itself
    DefaultTopics topics;
};

struct ThingDeleted {
    std::string path;
    std::size_t certificates_revoked = 0;
};

/// Things: devices. Thread: `work`.
class Things {
  public:
    Things(Core& core, Idempotency& idempotency);

    /// Runs the chain create-thing: thing, rights, certificate, audit and events, all or nothing.
    /// @param key  Idempotency-Key of the call, if it has one.
    /// Errors: those of the steps; E4102, E4103, E4127 of the key.
    [[nodiscard]] Result<Provisioned> create(const Caller& caller, const ThingRequest& request,
                                             const std::optional<std::string>& key = {});
    /// Callers see what is theirs.
    [[nodiscard]] Result<Listing<ThingRecord>> list(const Caller& caller, const ThingQuery& query,
                                                    const PageRequest& page);
    [[nodiscard]] Result<ThingDetails> show(const Caller& caller, std::string_view thing);
    [[nodiscard]] Result<Changed<ThingRecord>> change(const Caller& caller, std::string_view thing,
                                                      const ThingChange& change,
                                                      std::optional<Rev> if_rev = {});
    /// Its certificates are revoked, its connections closed.
    [[nodiscard]] Result<Changed<ThingDeleted>> remove(const Caller& caller, std::string_view thing,
                                                       bool dry_run = false,
                                                       std::optional<Rev> if_rev = {});

    [[nodiscard]] const Pipeline& pipeline() const noexcept { return pipeline_; }

  private:
    [[nodiscard]] Result<void> check_create(const Caller& caller, const ThingRequest& request);

    Core& core_;
    Idempotency& idempotency_;
    Pipeline pipeline_;
};

/// The request as text, for comparing repeats of a call.
[[nodiscard]] std::string request_text(const ThingRequest& request);

}  // namespace iotsky::provisioning
