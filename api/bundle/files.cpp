#include "api/bundle/files.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "api/bundle/templates.hpp"
#include "api/errors.hpp"

namespace iotsky::api {
namespace {

using Values = std::vector<std::pair<std::string_view, std::string>>;

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

/// Inside a C string literal; control characters as octal escapes of three digits.
std::string escape_c(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f || c == '?') {  // "??" begins trigraphs
            out += '\\';
            out += static_cast<char>('0' + (byte >> 6U));
            out += static_cast<char>('0' + ((byte >> 3U) & 7U));
            out += static_cast<char>('0' + (byte & 7U));
        } else {
            out += c;
        }
    }
    return out;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator,
                 std::string_view quote = "") {
    std::string out;
    for (const std::string& part : parts) {
        out += (out.empty() ? "" : std::string{separator}) + std::string{quote} + part +
               std::string{quote};
    }
    return out;
}

/// Name first, then addresses.
std::vector<std::string> hosts_of(const Endpoint& endpoint) {
    std::vector<std::string> hosts;
    if (!endpoint.host.empty()) {
        hosts.push_back(endpoint.host);
    }
    for (const std::string& address : endpoint.addresses) {
        if (std::ranges::find(hosts, address) == hosts.end()) {
            hosts.push_back(address);
        }
    }
    return hosts;
}

std::string own_tree(const std::string& path) {
    return path.find('/') == std::string::npos ? "$me/" : path + "/";
}

Values plain_values(const BundleInput& input) {
    const auto hosts = hosts_of(input.endpoint);
    return {{"name", input.name},
            {"path", input.path},
            {"own", own_tree(input.path)},
            {"host", input.endpoint.host},
            {"addresses", join(input.endpoint.addresses, ", ")},
            {"port", std::to_string(input.endpoint.port)},
            {"serial", input.serial},
            {"not_after", input.not_after},
            {"publish", join(input.publish, "  ")},
            {"subscribe", join(input.subscribe, "  ")},
            {"hosts_c", join(hosts, ", ", "\"")},
            {"hosts_python", join(hosts, ", ", "\"")},
            {"hosts_shell", join(hosts, " ")},
            {"wifi_ssid", escape_c(input.wifi_ssid)}};
}

Values html_values(const BundleInput& input) {
    Values values = plain_values(input);
    for (auto& [name, value] : values) {
        value = escape_html(value);
    }
    return values;
}

/// Puts values in place of {{names}}. Templates are ours: an unknown name is a fault of ours, and
/// stays visible for the test.
std::string fill(std::string_view text, const Values& values) {
    std::string out;
    std::size_t at = 0;
    for (std::size_t open = text.find("{{"); open != std::string_view::npos;
         open = text.find("{{", at)) {
        const std::size_t close = text.find("}}", open);
        const std::string_view name = text.substr(open + 2, close - open - 2);
        const auto value = std::ranges::find(values, name, &Values::value_type::first);
        out += text.substr(at, open - at);
        if (close == std::string_view::npos || value == values.end()) {
            out += text.substr(open, 2);
            at = open + 2;
            continue;
        }
        out += value->second;
        at = close + 2;
    }
    out += text.substr(at);
    return out;
}

BundleFile file(std::string path, std::string content, bool executable = false) {
    return {std::move(path), SecretString::take(std::move(content)), executable};
}

void add_certificates(const BundleInput& input, std::vector<BundleFile>& files) {
    const std::array<std::pair<std::string_view, std::string_view>, 4> parts{{
        {"device.crt", input.certificate_pem},
        {"device.key", input.private_key_pem.view()},
        {"ca.crt", input.ca_pem},
        {"ca-next.crt", input.ca_next_pem},
    }};
    for (const auto& [name, pem] : parts) {
        const std::string path = "certs/" + std::string{name};
        files.push_back({path, SecretString{pem}, false});
        files.push_back({path + ".der", der_of_pem(pem), false});
    }
    files.push_back(file("certs/ca-bundle.crt", input.ca_pem + input.ca_next_pem));
}

void add_sketch(const BundleInput& input, std::vector<BundleFile>& files) {
    const std::string folder = "arduino-esp32/" + input.name + "/";
    Values values = plain_values(input);
    files.push_back(file(folder + input.name + ".ino", fill(templates::kSketch, values)));
    values.emplace_back("ca", input.ca_pem);
    values.emplace_back("ca_next", input.ca_next_pem);
    values.emplace_back("certificate", input.certificate_pem);
    values.emplace_back("private_key", std::string{input.private_key_pem.view()});
    files.push_back(file(folder + "secrets.h", fill(templates::kSecrets, values)));
    wipe(values.back().second);
}

void add_samples(const BundleInput& input, std::vector<BundleFile>& files) {
    const Values values = plain_values(input);
    files.push_back(file("python/" + input.name + ".py", fill(templates::kPython, values), true));
    files.push_back(file("shell/common.sh", fill(templates::kShellCommon, values)));
    files.push_back(file("shell/pub.sh", fill(templates::kShellPub, values), true));
    files.push_back(file("shell/sub.sh", fill(templates::kShellSub, values), true));
    files.push_back(file("shell/check.sh", fill(templates::kShellCheck, values), true));
}

int base64_value(char c) {
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/// The base 64 lines of a PEM's first block.
std::string_view pem_body(std::string_view pem) {
    const std::size_t begin = pem.find("-----BEGIN ");
    if (begin == std::string_view::npos) {
        return {};
    }
    const std::size_t start = pem.find('\n', begin);
    const std::size_t end = pem.find("-----END ", begin);
    if (start == std::string_view::npos || end == std::string_view::npos || end < start) {
        return {};
    }
    return pem.substr(start, end - start);
}

}  // namespace

SecretString der_of_pem(std::string_view pem) {
    std::string bytes;
    bytes.reserve(pem.size());
    std::uint32_t bits = 0;
    int have = 0;
    for (const char c : pem_body(pem)) {
        const int value = base64_value(c);
        if (value < 0) {
            continue;  // line feeds and padding
        }
        bits = (bits << 6U) | static_cast<std::uint32_t>(value);
        have += 6;
        if (have >= 8) {
            have -= 8;
            bytes += static_cast<char>((bits >> static_cast<unsigned>(have)) & 0xFFU);
        }
    }
    return SecretString::take(std::move(bytes));
}

Result<std::vector<BundleFile>> bundle_files(const BundleInput& input) {
    std::vector<BundleFile> files;
    files.push_back(file("README.html", fill(templates::kReadme, html_values(input))));
    add_certificates(input, files);
    add_sketch(input, files);
    add_samples(input, files);
    const auto empty =
        std::ranges::find_if(files, [](const BundleFile& one) { return one.content.empty(); });
    if (empty != files.end()) {
        return own_fault("bundle file without content: " + empty->path);
    }
    return files;
}

}  // namespace iotsky::api
