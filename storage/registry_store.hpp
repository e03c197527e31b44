#pragma once

#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "provisioning/store.hpp"

namespace iotsky::storage {

/// registry.db behind provisioning's interface: one writer thread (`registry`), readers on
/// connections of their own. Synchronised.
class RegistryStore final : public provisioning::Store {
  public:
    /// Opens or creates `path`, checks that it is whole and brings it to the newest format.
    /// Errors: E5310 cannot be opened, E5311 damaged, E5312 newer format, E5313 some other
    /// database, E5314 migration failed.
    [[nodiscard]] static Result<std::unique_ptr<RegistryStore>> open(
        const std::filesystem::path& path);
    ~RegistryStore() override;

    [[nodiscard]] Result<void> transact_void(const TxBody& body,
                                             provisioning::Ending ending) override;
    [[nodiscard]] Result<void> read_void(const ReadBody& body) override;

    /// Commits made so far; fewer than transactions when several shared one.
    [[nodiscard]] std::uint64_t commits() const noexcept;

  private:
    struct Impl;
    explicit RegistryStore(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

}  // namespace iotsky::storage
