#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/config/locate.hpp"
#include "apps/serve/firewall.hpp"
#include "apps/serve/self_test.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// What `iotsky setup` asks, or takes from its flags.
struct SetupAnswers {
    std::vector<std::string> names;      ///< empty: the default
    std::vector<std::string> addresses;  ///< empty: all that the machine has, also later ones
    std::uint16_t mqtt_port = 8883;
};

/// What a set-up made.
struct SetupResult {
    std::string config_file;  ///< empty: the defaults needed none
    std::string token_file;
    std::string ca_words;
    std::string ca_fingerprint;
    std::vector<std::string> addresses;  ///< in the certificate
    std::vector<Error> warnings;
    std::vector<SelfTestRow> self_test;
    std::optional<FirewallHint> firewall;
};

/// The text of DIR/iotsky.toml for these answers; empty when the defaults say the same. Pure.
[[nodiscard]] std::string setup_config(const SetupAnswers& answers,
                                       const std::filesystem::path& data_folder);

/// Addresses beside loopback and link-local that devices could use. Error: E1102 there is none and
/// none was given.
[[nodiscard]] Result<std::vector<std::string>> setup_addresses(const SetupAnswers& answers);

/// Makes CA, registry and first token in an empty folder, then tests what was made on the port that
/// devices will use. Errors: E1101 the port is taken, E1102,
/// E1103, E1104 set up already (says what is in it), E1156, E1157.
[[nodiscard]] Result<SetupResult> set_up(const ConfigChoice& choice, const SetupAnswers& answers);

}  // namespace iotsky::apps
