#include "tests/wire/suite.hpp"

#include <unistd.h>

#include <cstdio>
#include <exception>
#include <fstream>
#include <optional>
#include <stdexcept>

#include "tests/wire/table.hpp"

namespace iotsky::wire {

std::vector<Conversation> load(const std::vector<std::string>& files, const std::string& only) {
    // The process number keeps runs against one broker apart, the file's number its conversations.
    std::vector<Conversation> all;
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].ends_with("CMakeLists.txt")) {
            continue;
        }
        std::ifstream in(files[i]);
        if (!in) {
            throw std::invalid_argument("cannot read " + files[i]);
        }
        const std::string unique = "w" + std::to_string(::getpid()) + "-" + std::to_string(i) + "-";
        for (Conversation& conversation : parse_table(in, files[i], unique)) {
            if (conversation.name.find(only) != std::string::npos) {
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
    std::printf("%zu of %zu conversations went as written\n", conversations.size() - failed,
                conversations.size());
    return failed;
}

}  // namespace iotsky::wire
