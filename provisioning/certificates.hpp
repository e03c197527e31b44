#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "provisioning/core.hpp"
#include "provisioning/idempotency.hpp"
#include "provisioning/pipeline.hpp"

namespace iotsky::provisioning {

/// How a certificate's key comes about.
struct KeyRequest {
    std::string key_type = "p256";  ///< "p256" | "rsa2048"; ignored with a csr
    std::string csr;                ///< PEM; empty: the CA makes the key
    bool revoke_old = false;        ///< revoke what the new certificate replaces
};

struct ServiceRequest {
    std::string name;
    std::vector<std::string> policies;           ///< names of stored policies
    std::optional<std::string> policy_document;  ///< stored as policy "service-NAME"
    KeyRequest key;
};

struct CertificateQuery {
    std::string class_name;  ///< empty: all
    std::string thing;
    std::optional<CertificateStatus> status;
    std::optional<std::chrono::seconds> ends_within;
};

struct CertificateDetails {
    CertificateRecord record;
    std::vector<std::string> things;    ///< paths
    std::vector<std::string> policies;  ///< attached to the certificate itself
};

/// One line of the revocation list.
struct Revocation {
    std::string serial;
    WallTime when{};
    std::string reason;
};

/// Certificates of things and services. Thread: `work`.
class Certificates {
  public:
    Certificates(Core& core, Idempotency& idempotency);

    /// Another certificate for a thing; with `revoke_old` its others are revoked in the same
    /// transaction. Errors: E2112, E2102, E52xx, those of the key.
    [[nodiscard]] Result<Provisioned> issue(const Caller& caller, std::string_view thing,
                                            const KeyRequest& request,
                                            const std::optional<std::string>& key = {});
    /// An identity for a program: rights by policies only. Errors: E3121 no policy at all,
    /// E3120, E3110-E3113 the document, E4104.
    [[nodiscard]] Result<Provisioned> issue_service(const Caller& caller,
                                                    const ServiceRequest& request,
                                                    const std::optional<std::string>& key = {});
    /// A successor with the same things, policies and session scope. Errors: E5243 revoked, E5244
    /// switched off.
    [[nodiscard]] Result<Provisioned> renew(const Caller& caller, std::string_view certificate,
                                            const KeyRequest& request,
                                            const std::optional<std::string>& key = {});
    /// For good. `reason`: unspecified, key_compromise, lost, superseded, affiliation_changed,
    /// cessation_of_operation. Revoking twice is not an error.
    [[nodiscard]] Result<Changed<CertificateDetails>> revoke(const Caller& caller,
                                                             std::string_view certificate,
                                                             std::string_view reason,
                                                             std::optional<Rev> if_rev = {});
    /// active, suspended or inactive. Error: E5243 a revoked one stays revoked.
    [[nodiscard]] Result<Changed<CertificateDetails>> set_status(const Caller& caller,
                                                                 std::string_view certificate,
                                                                 CertificateStatus status,
                                                                 std::optional<Rev> if_rev = {});
    [[nodiscard]] Result<Listing<CertificateDetails>> list(const Caller& caller,
                                                           const CertificateQuery& query,
                                                           const PageRequest& page);
    [[nodiscard]] Result<CertificateDetails> show(const Caller& caller,
                                                  std::string_view certificate);
    /// Revoked certificates of our CA that have not ended yet, for the revocation list.
    [[nodiscard]] Result<std::vector<Revocation>> revoked();

  private:
    [[nodiscard]] Result<Provisioned> run(const Caller& caller, Order order, std::string_view text,
                                          const std::optional<std::string>& key);

    Core& core_;
    Idempotency& idempotency_;
    Pipeline pipeline_;
};

}  // namespace iotsky::provisioning
