#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "provisioning/certificate_issuer.hpp"
#include "provisioning/registry.hpp"
#include "storage/registry_store.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace iotsky::provisioning::test {

/// Signs nothing: the "certificate" is text that names what was asked for.
class FakeIssuer final : public CertificateIssuer {
  public:
    [[nodiscard]] std::string issuer_key_id() const override { return "fa4e"; }
    [[nodiscard]] certs::Serial new_serial() override { return certs::new_serial(random_); }
    [[nodiscard]] Result<void> check_csr(std::string_view csr) const override;
    [[nodiscard]] Result<IssuedCertificate> issue(const CertificateOrder& order,
                                                  WallTime now) override;

    int issued = 0;
    bool broken = false;  ///< refuses to sign
    std::function<void()> while_signing;

  private:
    SeededRandom random_{7};
};

/// Notes what it is told; acknowledges at once, or never.
class NotedListener final : public RightsListener {
  public:
    void on_rights_changed(std::vector<std::string> changed, bool revoked,
                           std::function<void()> done) override;

    struct Call {
        std::vector<std::string> scopes;
        bool revoked = false;
    };
    std::vector<Call> calls;
    bool acknowledges = true;
};

/// A file name of its own in the folder for temporary files; gone at the end.
class TemporaryDatabase {
  public:
    [[nodiscard]] std::filesystem::path path() const { return folder() / "registry.db"; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }

  private:
    TemporaryFolder folder_;
};

/// A registry over a real database with a fake CA. Class 7b, which ends on 2027-02-05, is there.
class World {
  public:
    World();

    /// Throws the error: the test fails and says what was refused.
    ThingRequest request(const std::string& project = "otter", const std::string& name = "weather");
    Provisioned thing(const std::string& project = "otter", const std::string& name = "weather");
    [[nodiscard]] Caller teacher(const std::string& class_name = "7b");
    [[nodiscard]] Caller student(const std::string& project);
    /// The view's entry of a certificate; null if unknown.
    [[nodiscard]] std::shared_ptr<const CertificateView> view(const Provisioned& made) const;
    [[nodiscard]] std::size_t events(const std::string& kind);
    /// One line for each row that matters, sorted: to compare before and after.
    [[nodiscard]] std::string dump();

    TemporaryDatabase database;
    ManualClock clock;
    SeededRandom random{1};
    FakeIssuer issuer;
    NotedListener listener;
    std::unique_ptr<storage::RegistryStore> store;
    std::unique_ptr<Registry> registry;
    Caller admin{Role::admin, "test", {}, {}};
};

/// Every entry of a view as text, sorted.
[[nodiscard]] std::string describe(const RegistryView& view);
/// The same of a view that is built from the database anew.
[[nodiscard]] std::string describe_rebuilt(Store& store);

inline constexpr const char* kAllowAll =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]})";
inline constexpr const char* kAllowConnect =
    R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]})";

}  // namespace iotsky::provisioning::test
