#include "apps/cli/session.hpp"

#include <sys/stat.h>

#include <boost/json.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "apps/config/config.hpp"
#include "base/text.hpp"

namespace iotsky::apps::cli {
namespace {

constexpr const char* kSystemSocket = "/run/iotsky/admin.sock";

Error token_error(const std::filesystem::path& file, const std::string& what, std::string how) {
    return make_error(Errc::invalid_argument, "E1165",
                      "The token file " + file.string() + " " + what + ".",
                      "A token opens the whole API.", std::move(how));
}

Result<std::string> read_token(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return token_error(file, "cannot be read",
                           "The first token lies in DIR/admin.token of the data folder.");
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return token_error(file, "can be read by others", "chmod 600 " + file.string());
    }
    std::ifstream in{file};
    std::string token;
    if (!std::getline(in, token) || token.empty() || token.find(' ') != std::string::npos) {
        return token_error(file, "holds no token", "It must have one line, iot_...");
    }
    return token;
}

/// Prefers the unix socket: it needs no token.
std::optional<ServerAddress> from_endpoints(const boost::json::value& endpoints) {
    std::optional<ServerAddress> http;
    for (const boost::json::value& item : endpoints.at("listeners").as_array()) {
        const std::string protocol{item.at("protocol").as_string()};
        ServerAddress server;
        if (protocol == "unix") {
            server.socket = std::string{item.at("path").as_string()};
            return server;
        }
        if (protocol == "http") {
            server.kind = ServerAddress::Kind::http;
            server.host = std::string{item.at("host").as_string()};
            server.port = boost::json::value_to<std::uint16_t>(item.at("port"));
            http = server;
        }
    }
    return http;
}

std::optional<ServerAddress> read_endpoints(const std::filesystem::path& data_dir) {
    std::ifstream in{data_dir / "endpoints.json"};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    try {
        return from_endpoints(boost::json::parse(text));
    } catch (const std::exception&) {
        return std::nullopt;  // missing or not ours: the usual socket is tried
    }
}

}  // namespace

Exit exit_for(const Error& error) noexcept {
    if (error.number == "E1162") {
        return Exit::unreachable;
    }
    switch (error.code) {
        case Errc::invalid_argument:
            return Exit::usage;
        case Errc::not_found:
            return Exit::not_found;
        case Errc::unauthenticated:
        case Errc::permission_denied:
            return Exit::refused;
        case Errc::already_exists:
        case Errc::conflict:
        case Errc::precondition_failed:
        case Errc::limit_exceeded:
            return Exit::conflict;
        default:
            return Exit::failed;
    }
}

Error usage_error(std::string what, std::string why, std::string how) {
    return make_error(Errc::invalid_argument, "E1170", std::move(what), std::move(why),
                      std::move(how));
}

Session::Session(Streams all, Getenv getenv) : streams(all), getenv_(std::move(getenv)) {}

std::string Session::variable(const char* name) const {
    const char* value = getenv_(name);
    return value == nullptr ? "" : value;
}

Result<ServerAddress> Session::server() const {
    ServerAddress address;
    const std::string named = globals.server.empty() ? variable("IOTSKY_SERVER") : globals.server;
    std::filesystem::path token_file = globals.token_file.empty()
                                           ? std::filesystem::path{variable("IOTSKY_TOKEN_FILE")}
                                           : globals.token_file;
    const std::filesystem::path data = globals.data_dir.empty() ? kSystemData : globals.data_dir;
    if (!named.empty()) {
        IOTSKY_TRY(parsed, parse_server(named));
        address = std::move(parsed);
    } else if (globals.data_dir.empty() && std::filesystem::exists(kSystemSocket)) {
        address.socket = kSystemSocket;
    } else if (auto found = read_endpoints(data)) {
        address = std::move(*found);
        if (token_file.empty() && address.kind != ServerAddress::Kind::unix_socket) {
            token_file = data / "admin.token";
        }
    } else {
        address.socket = data / "admin.sock";
    }
    address.ca_file = globals.ca_file;
    if (!token_file.empty()) {
        IOTSKY_TRY(token, read_token(token_file));
        address.token = std::move(token);
    }
    return address;
}

Result<bool> Session::confirm(const std::string& question) {
    if (globals.yes) {
        return true;
    }
    if (!streams.in_terminal) {
        return make_error(Errc::invalid_argument, "E1171", question,
                          "There is no terminal to answer on.",
                          "Add --yes to answer yes, or --dry-run to see what would happen.");
    }
    streams.err << question << " [y/N] " << std::flush;
    std::string answer;
    std::getline(streams.in, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

Result<bool> Session::confirm_name(const std::string& question, const std::string& name) {
    if (globals.yes || !streams.in_terminal) {
        return confirm(question);
    }
    streams.err << question << "\nType " << name << " to go on: " << std::flush;
    std::string answer;
    std::getline(streams.in, answer);
    return answer == name;
}

void Session::print(const Error& error) const {
    streams.err << format(error) << "\n";
    for (const FieldError& field : error.fields) {
        streams.err << "  " << field.pointer << ": " << field.message << "\n";
    }
}

}  // namespace iotsky::apps::cli
