#pragma once

#include <functional>
#include <string>
#include <vector>

namespace iotsky::provisioning {

/// Told when rights have changed: after the commit and after the registry view shows the new state.
/// The broker implements it (apps joins them): every io thread looks its connections of these
/// scopes up again, re-evaluates them, closes those whose certificate is not active any more.
class RightsListener {
  public:
    virtual ~RightsListener() = default;
    /// @param scopes   Session scopes whose rights may have changed; CertificateView::scope.
    /// @param revoked  A certificate of them was revoked: close without will, seal the session.
    /// @param done     To be called once, from any thread, when every io thread has acknowledged;
    ///                 may be called before this returns. The caller waits for it 100 ms at most.
    /// Thread: called on `work` threads, several at a time; must not block.
    virtual void on_rights_changed(std::vector<std::string> scopes, bool revoked,
                                   std::function<void()> done) = 0;
};

}  // namespace iotsky::provisioning
