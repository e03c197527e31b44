#pragma once

#include "provisioning/store.hpp"

namespace iotsky::test {

/// A registry's store that writes, but cannot be read.
class UnreadableStore final : public provisioning::Store {
  public:
    explicit UnreadableStore(provisioning::Store& real) : real_(real) {}
    [[nodiscard]] Result<void> transact_void(const TxBody& body,
                                             provisioning::Ending ending) override {
        return real_.transact_void(body, ending);
    }
    [[nodiscard]] Result<void> read_void(const ReadBody& /*body*/) override {
        return make_error(Errc::io, "E5304", "unreadable", "", "");
    }

  private:
    provisioning::Store& real_;
};

}  // namespace iotsky::test
