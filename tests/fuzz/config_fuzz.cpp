// Any bytes as a configuration file: never a crash; a refusal has position, reason and remedy; what
// is accepted is shown as text that means the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "apps/config/reload.hpp"
#include "apps/config/rules.hpp"
#include "apps/config/show.hpp"
#include "base/assert.hpp"

namespace {

using namespace iotsky;
using namespace iotsky::apps;

Result<Loaded> load(std::string text) {
    const std::vector<Source> sources{{"fuzz.toml", "/etc/iotsky", std::move(text)}};
    return load_config(sources, {});
}

/// What people read of a refusal.
void check_error(const Error& error) {
    IOTSKY_ASSERT(error.number.starts_with("E1"));
    IOTSKY_ASSERT(!error.message.empty() && !error.why.empty() && !error.how.empty());
    IOTSKY_ASSERT(!error.fields.empty());
    for (const FieldError& field : error.fields) {
        IOTSKY_ASSERT(!field.pointer.empty() && !field.message.empty());
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto loaded = load(std::string(reinterpret_cast<const char*>(data), size));
    if (!loaded) {
        check_error(loaded.error());
        return 0;
    }
    const auto again = load(show_config(loaded->config));
    IOTSKY_ASSERT(again.has_value());
    const ConfigDifference difference = compare(*loaded, *again);
    IOTSKY_ASSERT(difference.at_once.empty());
    for (const std::string& key : difference.needs_restart) {
        // A listener has one of them; the other, which the rules refuse, is not shown.
        IOTSKY_ASSERT(key.ends_with(".bind") || key.ends_with(".path"));
    }
    const std::string shown = show_config(again->config);
    IOTSKY_ASSERT(show_config(load(shown)->config) == shown);
    IOTSKY_ASSERT(show_config(with_changes(*again, *loaded).config) == shown);
    if (const auto warnings = check_rules(*loaded); !warnings) {
        check_error(warnings.error());
    }
    return 0;
}
