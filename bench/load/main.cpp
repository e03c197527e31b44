// Load for any MQTT 3.1.1 broker: one process, one thread, one JSON line (bench/load/README.md).
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/load/report.hpp"

namespace {

/// As many descriptors as the system allows: each client is one.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

}  // namespace

int main(int argc, char** argv) {
    using namespace iotsky::load;
    std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write(2)
    raise_descriptor_limit();
    try {
        const Options options = parse_options(std::vector<std::string>(argv + 1, argv + argc));
        const Report report =
            options.scenario == Scenario::connect ? run_connect(options) : run_traffic(options);
        std::puts(to_json(options, report).c_str());
        return 0;
    } catch (const std::invalid_argument& error) {
        std::fprintf(stderr, "iotsky_load: %s\n%s", error.what(), kUsage);
        return 2;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "iotsky_load: %s\n", error.what());
        return 1;
    }
}
