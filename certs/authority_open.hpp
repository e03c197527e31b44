#pragma once

#include <vector>

#include "base/error.hpp"
#include "certs/authority_files.hpp"

namespace iotsky::certs {

/// The folder after it was made or found, checked and brought to the wanted form.
struct PreparedAuthority {
    KeyStore store;
    AuthorityFiles files;
    std::vector<Error> warnings;
    bool created = false;
};

/// Makes DIR/ca in one step when it is not there, loads it, encrypts plain keys when there is a
/// passphrase, writes the CA files for clients. Errors: see Authority::open.
[[nodiscard]] Result<PreparedAuthority> prepare_authority(const AuthorityOptions& options,
                                                          WallTime now, Random& random);

}  // namespace iotsky::certs
