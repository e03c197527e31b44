#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>

#include "apps/cli/program.hpp"

int main(int argc, char** argv) {
    using namespace iotsky::apps::cli;
    const Streams streams{std::cin,
                          std::cout,
                          std::cerr,
                          ::isatty(STDIN_FILENO) == 1,
                          ::isatty(STDOUT_FILENO) == 1,
                          ::isatty(STDERR_FILENO) == 1};
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing sets variables
    Session session{streams,
                    [](const char* name) { return static_cast<const char*>(std::getenv(name)); }};
    // What a verb has finished stays; the broker installs its own handler.
    std::signal(SIGINT, [](int) { std::_Exit(static_cast<int>(Exit::interrupted)); });
    try {
        return run_program({argv + 1, argv + argc}, session);
    } catch (const std::exception& fault) {
        std::cerr << "iotsky: " << fault.what() << "\n";
        return static_cast<int>(Exit::failed);
    }
}
