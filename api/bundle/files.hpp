#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/machine.hpp"
#include "base/error.hpp"
#include "base/secret.hpp"

namespace iotsky::api {

/// All that the files of a bundle say about a thing. Texts that people chose have been checked
/// before, except `wifi_ssid`.
struct BundleInput {
    std::string name;                  ///< last part of the path; names files
    std::string path;                  ///< "7b/otter/weather", or the AWS name of a classless thing
    std::vector<std::string> publish;  ///< filters of the default rights
    std::vector<std::string> subscribe;
    Endpoint endpoint;
    std::string serial;
    std::string not_after;  ///< for people
    std::string certificate_pem;
    SecretString private_key_pem;
    std::string ca_pem;
    std::string ca_next_pem;
    std::string wifi_ssid;  ///< empty: to be filled in
};

struct BundleFile {
    std::string path;      ///< inside the archive, with '/'
    SecretString content;  ///< most hold the private key
    bool executable = false;
};

/// README.html, certs/, arduino-esp32/, python/, shell/. Error: internal, a PEM of ours that does
/// not read. Thread: any (pure).
[[nodiscard]] Result<std::vector<BundleFile>> bundle_files(const BundleInput& input);

/// The bytes between a PEM's first BEGIN and END lines; empty when there are none.
[[nodiscard]] SecretString der_of_pem(std::string_view pem);

}  // namespace iotsky::api
