// Speaks the conversations of the tables with a broker on 127.0.0.1 and reports each of them.
#include <charconv>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "tests/wire/suite.hpp"

namespace {

using namespace iotsky::wire;

constexpr std::string_view kUsage =
    "usage: wire_runner --port N [--transport T] [--patience-ms N] [--only TEXT] FILE...\n"
    "       wire_runner --check FILE...\n"
    "Speaks the conversations of FILE... with the broker on 127.0.0.1:N over T: tcp (default),\n"
    "tls, ws or wss, the last two at the path /mqtt; --only takes those whose\n"
    "name contains TEXT; --check reads the files and connects nowhere. Exit: 0 all went as "
    "written,\n"
    "1 some did not, 2 wrong call or file.\n";

struct Call {
    RunOptions run;
    bool check = false;
    std::string only;
    std::vector<std::string> files;
};

template <typename T>
T to_number(const std::string& text) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        throw std::invalid_argument("not a number in range: " + text);
    }
    return value;
}

Call parse_call(const std::vector<std::string>& args) {
    Call call;
    for (std::size_t i = 0; i < args.size(); ++i) {
        const auto value = [&]() -> const std::string& {
            if (i + 1 == args.size()) {
                throw std::invalid_argument(args[i] + " needs a value");
            }
            return args[++i];
        };
        if (args[i] == "--check") {
            call.check = true;
        } else if (args[i] == "--port") {
            call.run.port = to_number<std::uint16_t>(value());
        } else if (args[i] == "--transport") {
            const auto transport = parse_transport(value());
            if (!transport) {
                throw std::invalid_argument("not a transport: " + args[i]);
            }
            call.run.transport = *transport;
        } else if (args[i] == "--patience-ms") {
            call.run.patience = std::chrono::milliseconds(to_number<int>(value()));
        } else if (args[i] == "--only") {
            call.only = value();
        } else if (args[i].starts_with("--")) {
            throw std::invalid_argument("unknown option: " + args[i]);
        } else {
            call.files.push_back(args[i]);
        }
    }
    if (call.files.empty() || (call.run.port == 0 && !call.check)) {
        throw std::invalid_argument("a port and a file are needed");
    }
    return call;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Call call = parse_call(std::vector<std::string>(argv + 1, argv + argc));
        const auto conversations = load(call.files, call.only);
        if (call.check) {
            std::printf("%zu conversations\n", conversations.size());
            return 0;
        }
        return run_all(conversations, call.run) == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "wire_runner: %s\n%s", error.what(), kUsage.data());
        return 2;
    }
}
