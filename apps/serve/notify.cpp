#include "apps/serve/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

#include "base/unique_fd.hpp"

namespace iotsky::apps {

void notify_systemd(std::string_view state) noexcept {
    const char* name =
        std::getenv("NOTIFY_SOCKET");  // NOLINT(concurrency-mt-unsafe): nothing sets variables
    if (name == nullptr) {
        return;
    }
    const std::string_view path{name};
    sockaddr_un address{};
    if (path.size() < 2 || path.size() >= sizeof address.sun_path) {
        return;
    }
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), address.sun_path);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';  // Linux's abstract namespace
    }
    const UniqueFd socket{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) {
        return;
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    // The supervisor's own timeout is what follows when this gets lost: there is nobody else to
    // tell.
    static_cast<void>(::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address), length));
}

std::optional<std::chrono::milliseconds> watchdog_interval() noexcept {
    const char* text =
        std::getenv("WATCHDOG_USEC");  // NOLINT(concurrency-mt-unsafe): nothing sets variables
    const char* whom =
        std::getenv("WATCHDOG_PID");  // NOLINT(concurrency-mt-unsafe): nothing sets variables
    if (whom != nullptr && std::atoll(whom) != ::getpid()) {
        return std::nullopt;  // inherited: somebody else is watched
    }
    const long long microseconds = text == nullptr ? 0 : std::atoll(text);
    if (microseconds < 2'000) {
        return std::nullopt;
    }
    return std::chrono::milliseconds{microseconds / 2'000};
}

}  // namespace iotsky::apps
