#include "apps/serve/check_files.hpp"

#include <unistd.h>

#include "apps/config/problems.hpp"
#include "apps/serve/data_folder.hpp"
#include "apps/serve/listeners.hpp"
#include "broker/net/listener.hpp"
#include "certs/passphrase.hpp"

namespace iotsky::apps {
namespace {

/// Collects what could not be opened.
class Opener {
  public:
    explicit Opener(const Loaded& loaded) : loaded_(loaded) {}

    template <typename T>
    void look(const std::string& key, const Result<T>& opened) {
        if (!opened) {
            const Error& error = opened.error();
            problems_.add(origin_of(loaded_, key), error.number, error.message, error.why,
                          error.how);
        }
    }
    [[nodiscard]] Result<void> verdict() const {
        return problems_.empty() ? Result<void>{} : Result<void>{problems_.error()};
    }

  private:
    const Loaded& loaded_;
    Problems problems_;
};

Result<void> check_socket_folder(const Listener& listener, const std::filesystem::path& data) {
    const std::filesystem::path folder = std::filesystem::absolute(listener.path).parent_path();
    if (folder == std::filesystem::absolute(data) || ::access(folder.c_str(), W_OK | X_OK) == 0) {
        return {};
    }
    return make_error(
        Errc::io, "E1107", "The socket " + listener.path.string() + " cannot be made.",
        "There is no folder " + folder.string() + ", or this account may not write in it.",
        "Make the folder, or give listener." + listener.name + " another path.");
}

Result<void> check_address(const Listener& listener) {
    net::ListenerOptions options = net_options(listener, {});
    options.protocol = net::Protocol::mqtt;  // the address alone
    options.bind = format_endpoint({parse_endpoint(listener.bind)->host, 0});
    auto bound = net::Listener::bind(options, 1);
    return bound ? Result<void>{} : Result<void>{bound.error()};
}

void look_at(Opener& opener, const Listener& listener, const ServerOptions& server) {
    const std::string name = "listener." + listener.name + ".";
    if (listener.protocol == Protocol::unix_socket) {
        opener.look(name + "path", check_socket_folder(listener, server.data_dir));
        return;
    }
    opener.look(name + "bind", check_address(listener));
    if (is_mqtt(listener)) {
        opener.look(name + "anonymous_policy_file", listener_identity(listener));
    }
}

}  // namespace

Result<void> check_files(const Loaded& loaded) {
    Opener opener{loaded};
    const Config& config = loaded.config;
    opener.look("server.data_dir", DataFolder::check(config.server.data_dir));
    opener.look("ca.passphrase_file",
                certs::read_passphrase(certs::passphrase_source(config.ca.passphrase_file)));
    for (const Listener& listener : config.listeners) {
        look_at(opener, listener, config.server);
    }
    return opener.verdict();
}

}  // namespace iotsky::apps
