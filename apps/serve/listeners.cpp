#include "apps/serve/listeners.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "acl/policy.hpp"
#include "apps/config/table.hpp"
#include "base/ascii.hpp"

namespace iotsky::apps {
namespace {

constexpr std::size_t kPolicyBytesMax = 404'600;

Error bad_policy(const Listener& listener, const std::string& what, std::string why) {
    return make_error(
        Errc::invalid_argument, "E1158",
        "anonymous_policy_file " + listener.anonymous_policy_file.string() + " of listener " +
            listener.name + " " + what + ".",
        std::move(why),
        "Correct the file (a policy document with Version and Statement), or take the key away.");
}

Result<std::string> read_policy_file(const Listener& listener) {
    const std::filesystem::path& file = listener.anonymous_policy_file;
    std::ifstream in{file, std::ios::binary};
    struct stat status {};
    if (!in || ::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return bad_policy(listener, "cannot be read", "In doubt nobody gets rights.");
    }
    if ((status.st_mode & S_IWOTH) != 0) {
        return bad_policy(listener, "can be written by everybody",
                          "Any account of this machine could give itself all rights (chmod o-w).");
    }
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (text.empty() || text.size() > kPolicyBytesMax) {
        return bad_policy(listener, text.empty() ? "is empty" : "is too long",
                          "An empty or damaged policy must not be taken for a wish.");
    }
    return text;
}

Result<std::shared_ptr<const acl::RuleSet>> anonymous_rules(const Listener& listener,
                                                            const std::string& text) {
    auto policy = acl::parse_policy(text);
    if (!policy) {
        return bad_policy(listener, "is not a policy", policy.error().message);
    }
    const acl::NamedPolicy named{listener.anonymous_policy_file.filename().string(), "1",
                                 std::make_shared<const acl::Policy>(*std::move(policy))};
    auto rules = acl::compile_anonymous(listener.name, named);
    if (!rules) {
        return bad_policy(listener, "cannot be used", rules.error().message);
    }
    return *std::move(rules);
}

/// [limits], with what the listener says itself: a key of it that is there, too, and is not 0.
broker::ConnectionLimits limits_of(const Listener& listener, Config config) {
    for (const Setting<Listener>& own : listener_settings()) {
        const Setting<Config>* const common = find_limit(own.key);
        if (common != nullptr && own.get(listener) != Value{std::int64_t{0}}) {
            common->set(config, own.get(listener));
        }
    }
    const broker::ConnectionLimits& limits = config.broker.limits;
    return limits;
}

broker::Durability to_broker(DurabilityMode mode) noexcept {
    switch (mode) {
        case DurabilityMode::durable:
            return broker::Durability::durable;
        case DurabilityMode::relaxed:
            return broker::Durability::relaxed;
        case DurabilityMode::memory:
            break;
    }
    return broker::Durability::memory;
}

}  // namespace

net::ListenerOptions net_options(const Listener& listener, const std::vector<std::string>& names) {
    net::ListenerOptions options;
    options.name = listener.name;
    options.protocol = net_protocol(listener.protocol);
    options.bind = listener.bind;
    options.notsent_lowat_bytes = listener.send_low_water_bytes;
    options.handshake_timeout = listener.handshake_timeout;
    options.failures_per_minute_max = listener.failed_connects_per_minute_per_address;
    options.ws.path = listener.websocket_path;
    options.ws.head_bytes_max = listener.websocket_request_bytes_max;
    std::ranges::transform(listener.allowed_origins, std::back_inserter(options.ws.allowed_origins),
                           ascii_lower);
    std::ranges::transform(names, std::back_inserter(options.ws.host_names), ascii_lower);
    return options;
}

DurabilityMode durability_of(const Listener& listener, const Config& config) noexcept {
    switch (listener.durability) {
        case ListenerDurability::as_broker:
            break;
        case ListenerDurability::durable:
            return DurabilityMode::durable;
        case ListenerDurability::relaxed:
            return DurabilityMode::relaxed;
        case ListenerDurability::memory:
            return DurabilityMode::memory;
    }
    return config.durability.mode;
}

DurabilityMode strictest_durability(const Config& config) noexcept {
    DurabilityMode strictest = config.durability.mode;
    for (const Listener& listener : config.listeners) {
        if (is_mqtt(listener)) {
            strictest = std::min(strictest, durability_of(listener, config));
        }
    }
    return strictest;
}

broker::Options broker_options(const Config& config) {
    broker::Options options = config.broker;
    options.limits.durability = to_broker(config.durability.mode);
    for (const Listener& listener : config.listeners) {
        if (is_mqtt(listener)) {
            options.listeners[listener.name] = limits_of(listener, config);
            options.listeners[listener.name].durability =
                to_broker(durability_of(listener, config));
        }
    }
    return options;
}

std::vector<api::ListenerOptions> api_options(const std::vector<Listener>& listeners) {
    std::vector<api::ListenerOptions> out;
    for (const Listener& listener : listeners) {
        if (is_mqtt(listener)) {
            continue;
        }
        api::ListenerOptions options;
        options.name = listener.name;
        options.protocol = listener.protocol == Protocol::http ? api::ListenerProtocol::http
                                                               : api::ListenerProtocol::unix_socket;
        if (const auto endpoint = parse_endpoint(listener.bind)) {
            options.host = endpoint->host == "localhost" ? "127.0.0.1" : endpoint->host;
            options.port = endpoint->port;
        }
        options.path = listener.path;
        out.push_back(std::move(options));
    }
    return out;
}

Result<ListenerIdentity> listener_identity(const Listener& listener) {
    ListenerIdentity identity;
    identity.account_client_ids = listener.client_ids == ClientIds::account;
    identity.tokens = takes_tokens(listener);
    if (!listener.anonymous_policy_file.empty()) {
        IOTSKY_TRY(text, read_policy_file(listener));
        IOTSKY_TRY(rules, anonymous_rules(listener, text));
        identity.anonymous = std::move(rules);
        identity.policy_text = std::move(text);
    }
    return identity;
}

Result<ListenerIdentities> listener_identities(const std::vector<Listener>& listeners) {
    ListenerIdentities out;
    for (const Listener& listener : listeners) {
        if (is_mqtt(listener)) {
            IOTSKY_TRY(identity, listener_identity(listener));
            out[listener.name] = std::move(identity);
        }
    }
    return out;
}

}  // namespace iotsky::apps
