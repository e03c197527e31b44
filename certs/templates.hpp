#pragma once

#include <string>

#include "base/error.hpp"
#include "base/random.hpp"
#include "certs/authority.hpp"
#include "certs/certificate_template.hpp"

namespace iotsky::certs {

enum class ServerUse : unsigned char { mqtt, web };

/// "server" and "web": names of the files.
[[nodiscard]] std::string_view to_string(ServerUse use) noexcept;

/// What a CA of ours says. Its common name ends with part of the serial, so that the CAs of two
/// installations (and server CA and successor) never have one name.
[[nodiscard]] CertificateTemplate ca_template(CaRole role, const std::string& site,
                                              const PublicKey& key, Random& random);

/// E5216 names or addresses that cannot stand in a certificate, or none at all.
[[nodiscard]] Result<CertificateTemplate> server_template(ServerUse use, const ServerNames& names,
                                                          const PublicKey& key, WallTime now,
                                                          Random& random);

/// E5215 what the request may not ask for; E5224, E5225 the key.
[[nodiscard]] Result<CertificateTemplate> device_template(const DeviceRequest& request,
                                                          const PublicKey& key, WallTime now);

/// E5215 unless `site` is 1-32 of [A-Za-z0-9_.-].
[[nodiscard]] Result<void> check_site(std::string_view site);

}  // namespace iotsky::certs
