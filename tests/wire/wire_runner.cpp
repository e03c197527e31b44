// Speaks the conversations of the tables with a broker on 127.0.0.1 and reports each of them.
#include <charconv>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include "tests/wire/conversation.hpp"
#include "tests/wire/table.hpp"

namespace {

using namespace iotsky::wire;

constexpr std::string_view kUsage =
    "usage: wire_runner --port N [--patience-ms N] [--only TEXT] FILE...\n"
    "       wire_runner --check FILE...\n"
    "Speaks the conversations of FILE... with the broker on 127.0.0.1:N; --only takes those whose\n"
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
        } else if (args[i] == "--patience-ms") {
            call.run.patience = std::chrono::milliseconds(to_number<int>(value()));
        } else if (args[i] == "--only") {
            call.only = value();
        } else if (args[i].starts_with("--")) {
            throw std::invalid_argument("unknown option: " + args[i]);
        } else if (!args[i].ends_with("CMakeLists.txt")) {  // tests/wire/*.txt names it too
            call.files.push_back(args[i]);
        }
    }
    if (call.files.empty() || (call.run.port == 0 && !call.check)) {
        throw std::invalid_argument("a port and a file are needed");
    }
    return call;
}

/// The process number keeps runs against one broker apart, the file's number its conversations.
std::vector<Conversation> load(const Call& call) {
    std::vector<Conversation> all;
    for (std::size_t i = 0; i < call.files.size(); ++i) {
        std::ifstream in(call.files[i]);
        if (!in) {
            throw std::invalid_argument("cannot read " + call.files[i]);
        }
        const std::string unique = "w" + std::to_string(::getpid()) + "-" + std::to_string(i) + "-";
        for (Conversation& conversation : parse_table(in, call.files[i], unique)) {
            if (conversation.name.find(call.only) != std::string::npos) {
                all.push_back(std::move(conversation));
            }
        }
    }
    if (all.empty()) {
        throw std::invalid_argument("no conversation to run");
    }
    return all;
}

std::size_t run_all(const std::vector<Conversation>& conversations, const RunOptions& options) {
    std::size_t failed = 0;
    for (const Conversation& conversation : conversations) {
        std::optional<std::string> fault;
        try {
            fault = run(conversation, options);
        } catch (const std::exception& error) {
            fault = error.what();
        }
        failed += fault ? 1U : 0U;
        std::printf("%s %s:%d %s%s%s\n", fault ? "FAIL" : "ok  ", conversation.file.c_str(),
                    conversation.line, conversation.name.c_str(), fault ? "\n     " : "",
                    fault ? fault->c_str() : "");
        std::fflush(stdout);
    }
    return failed;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        const Call call = parse_call(std::vector<std::string>(argv + 1, argv + argc));
        const auto conversations = load(call);
        if (call.check) {
            std::printf("%zu conversations\n", conversations.size());
            return 0;
        }
        const std::size_t failed = run_all(conversations, call.run);
        std::printf("%zu of %zu conversations went as written\n", conversations.size() - failed,
                    conversations.size());
        return failed == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "wire_runner: %s\n%s", error.what(), kUsage.data());
        return 2;
    }
}
