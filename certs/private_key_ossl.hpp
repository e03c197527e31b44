#pragma once

// Internal: included by .cpp files of certs/ only.

#include "certs/ossl_ptr.hpp"
#include "certs/private_key.hpp"

namespace iotsky::certs {

struct PrivateKey::Impl {
    ossl::Pkey pkey;
    PublicKey public_key;
};

}  // namespace iotsky::certs
