#include "provisioning/token_uses.hpp"

#include <utility>

namespace iotsky::provisioning {

void TokenUses::note(const Id& token, WallTime at) {
    const LockGuard lock{mutex_};
    uses_[token] = at;
}

std::map<Id, WallTime> TokenUses::take() {
    const LockGuard lock{mutex_};
    return std::exchange(uses_, {});
}

}  // namespace iotsky::provisioning
