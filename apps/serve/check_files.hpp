#pragma once

#include "apps/config/load.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// Opens everything that a configuration names, as a start would: policies for anonymous clients,
/// the passphrase of the CA, the data folder, the folders of sockets, the addresses to listen on
/// (with any port, so that a broker that runs is not in its own way). Changes nothing. `loaded`
/// keeps the rules.
/// @return E1107, E1122, E1156, E1158, E5203 or E5208; every problem is in the error's `fields`, at
///         the position of the key that names it.
[[nodiscard]] Result<void> check_files(const Loaded& loaded);

}  // namespace iotsky::apps
