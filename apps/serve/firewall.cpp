#include "apps/serve/firewall.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

namespace iotsky::apps {
namespace {

namespace fs = std::filesystem;

/// Lines of a file; nullopt when it cannot be read.
std::optional<std::vector<std::string>> lines_of(const fs::path& file) {
    std::ifstream in{file};
    if (!in) {
        return std::nullopt;
    }
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) {
        lines.push_back(std::move(line));
    }
    return lines;
}

bool has_line(const fs::path& file, std::string_view line) {
    const auto lines = lines_of(file);
    return lines && std::find(lines->begin(), lines->end(), line) != lines->end();
}

/// "### tuple ### allow tcp 8883 0.0.0.0/0 any 0.0.0.0/0 in" of ufw's rules: whether it lets TCP to
/// `port` in. Ports are lists of numbers and of ranges "8000:9000".
bool allows(const std::string& line, std::uint16_t port) {
    std::istringstream words{line};
    std::string mark, tuple, end, action, protocol, ports;
    words >> mark >> tuple >> end >> action >> protocol >> ports;
    if (tuple != "tuple" || !(action.starts_with("allow") || action.starts_with("limit")) ||
        !(protocol == "tcp" || protocol == "any")) {
        return false;
    }
    std::istringstream list{ports};
    for (std::string item; std::getline(list, item, ',');) {
        const std::size_t colon = item.find(':');
        const unsigned long first = std::strtoul(item.c_str(), nullptr, 10);
        const unsigned long last = colon == std::string::npos
                                       ? first
                                       : std::strtoul(item.c_str() + colon + 1, nullptr, 10);
        if (item == "any" || (first <= port && port <= last)) {
            return true;
        }
    }
    return false;
}

std::optional<FirewallHint> ufw_hint(const fs::path& root, const std::string& port_text,
                                     std::uint16_t port) {
    if (!has_line(root / "etc/ufw/ufw.conf", "ENABLED=yes") ||
        has_line(root / "etc/default/ufw", "DEFAULT_INPUT_POLICY=\"ACCEPT\"")) {
        return std::nullopt;
    }
    const std::string how = "sudo ufw allow " + port_text + "/tcp";
    const auto rules = lines_of(root / "etc/ufw/user.rules");
    if (!rules) {
        return FirewallHint{"ufw is active and may block port " + port_text + ".", how};
    }
    const bool open = std::any_of(rules->begin(), rules->end(),
                                  [port](const std::string& line) { return allows(line, port); });
    return open ? std::nullopt
                : std::optional{
                      FirewallHint{"ufw is active and blocks port " + port_text + ".", how}};
}

std::optional<FirewallHint> firewalld_hint(const fs::path& root, const std::string& port_text) {
    std::error_code ignored;
    if (!fs::exists(root / "run/firewalld.pid", ignored)) {
        return std::nullopt;
    }
    for (const auto& zone : fs::directory_iterator{root / "etc/firewalld/zones", ignored}) {
        const auto lines = lines_of(zone.path());
        const bool open = lines && std::any_of(lines->begin(), lines->end(), [&](const auto& line) {
                              return line.find("port=\"" + port_text + "\"") != std::string::npos;
                          });
        if (open) {
            return std::nullopt;
        }
    }
    return FirewallHint{"firewalld is active and may block port " + port_text + ".",
                        "sudo firewall-cmd --permanent --add-port=" + port_text +
                            "/tcp && sudo firewall-cmd --reload"};
}

}  // namespace

std::optional<FirewallHint> firewall_hint(const fs::path& root, std::uint16_t port) {
    const std::string port_text = std::to_string(port);
    if (auto hint = ufw_hint(root, port_text, port)) {
        return hint;
    }
    return firewalld_hint(root, port_text);
}

}  // namespace iotsky::apps
