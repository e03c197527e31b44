#pragma once

#include <string>
#include <vector>

#include "apps/config/config.hpp"
#include "apps/serve/endpoints.hpp"
#include "base/error.hpp"

namespace iotsky::apps {

/// What the banner says.
struct BannerFacts {
    std::string version;
    std::string data_folder;
    bool first_start = false;
    std::vector<OpenListener> listeners;
    std::string host;  ///< the name that devices use
    std::vector<std::string> addresses;
    std::string ca_words;        ///< "otter-lamp-violet-seven"
    std::string ca_fingerprint;  ///< "9F:1C:..."
    std::string token_file;      ///< empty: none was written in this start
    std::string durability;      ///< in words
    std::vector<Error> warnings;
};

/// The text that `iotsky serve` prints before it says "ready". Pure.
[[nodiscard]] std::string banner(const BannerFacts& facts);

/// How a listener is protected, in words: "TLS, client certificate required".
[[nodiscard]] std::string security_words(const Listener& listener);

}  // namespace iotsky::apps
