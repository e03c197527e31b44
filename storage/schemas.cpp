#include <limits>

#include "storage/migrate.hpp"
#include "storage/migration_scripts.hpp"

namespace iotsky::storage {
namespace {

constexpr std::int64_t kRegistryId = 0x696f7473;  // "iots"
constexpr std::int64_t kMessagesId = 0x696f746d;  // "iotm"
/// Read in about 100 ms; a larger message store is not held up at start.
constexpr std::uintmax_t kMessagesCheckBytesMax = 32U << 20U;

}  // namespace

Schema registry_schema() noexcept {
    return {kRegistryId, registry_migrations(), std::numeric_limits<std::uintmax_t>::max()};
}

Schema messages_schema() noexcept {
    return {kMessagesId, messages_migrations(), kMessagesCheckBytesMax};
}

}  // namespace iotsky::storage
