#include "apps/serve/file_limit.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace iotsky::apps {
namespace {

// Databases, sockets that listen, epoll and events of each io thread, the log.
constexpr rlim_t kOwnFiles = 200;

}  // namespace

std::optional<Error> raise_file_limit(std::size_t connections_max, std::size_t requests_max) {
    const rlim_t others = kOwnFiles + static_cast<rlim_t>(requests_max);
    const rlim_t wanted = static_cast<rlim_t>(connections_max) + others;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) {
        return std::nullopt;
    }
    const rlimit raised{wanted, std::max(wanted, limit.rlim_max)};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
        return std::nullopt;
    }
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) {
        return std::nullopt;
    }
    (void)::getrlimit(RLIMIT_NOFILE, &limit);
    const rlim_t left = limit.rlim_cur - std::min(limit.rlim_cur, others);
    return make_error(Errc::limit_exceeded, "W1108",
                      "There is room for about " + std::to_string(left) + " connections, not for " +
                          std::to_string(connections_max) + ".",
                      "The system lets this process open " + std::to_string(limit.rlim_cur) +
                          " files at a time, and each connection is one.",
                      "Raise it (ulimit -n, LimitNOFILE= of a systemd unit), or lower "
                      "limits.connections_max.");
}

}  // namespace iotsky::apps
