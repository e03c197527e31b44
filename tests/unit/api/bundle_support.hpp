#pragma once

#include "api/bundle/files.hpp"

namespace iotsky::api {

inline constexpr std::string_view kPem =
    "-----BEGIN CERTIFICATE-----\naGVs\nbG8=\n-----END CERTIFICATE-----\n";

/// A bundle as the registry would ask for it; "hello" is the DER of every PEM.
inline BundleInput bundle_input() {
    BundleInput input;
    input.name = "weather";
    input.path = "7b/otter/weather";
    input.publish = {"7b/otter/weather/#", "7b/commons/#"};
    input.subscribe = {"7b/otter/#", "7b/board/#", "7b/commons/#"};
    input.endpoint = {"iotsky.local", {"10.20.0.5", "fd00::5"}, 8883};
    input.serial = "4f19";
    input.not_after = "2027-05-19";
    input.certificate_pem = kPem;
    input.private_key_pem =
        SecretString{"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"};
    input.ca_pem = kPem;
    input.ca_next_pem = kPem;
    input.wifi_ssid =
        "school \"guest\" ?"
        "?/ \\ net";
    return input;
}

}  // namespace iotsky::api
