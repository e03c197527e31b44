#include "base/file_io.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/unique_fd.hpp"

namespace iotsky {

int write_all(int fd, std::span<const std::byte> bytes) noexcept {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        bytes = bytes.subspan(count < 0 ? 0 : static_cast<std::size_t>(count));
    }
    return 0;
}

std::optional<std::size_t> read_all(int fd, std::span<std::byte> into) noexcept {
    std::size_t have = 0;
    while (have < into.size()) {
        const ssize_t count = ::read(fd, into.data() + have, into.size() - have);
        if (count < 0 && errno != EINTR) {
            return std::nullopt;
        }
        if (count == 0) {
            break;
        }
        have += count < 0 ? 0 : static_cast<std::size_t>(count);
    }
    return have;
}

int sync_names_in(const std::filesystem::path& folder) noexcept {
    const char* const name = folder.empty() ? "." : folder.c_str();
    const UniqueFd opened{::open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return opened && ::fsync(opened.get()) == 0 ? 0 : errno;
}

}  // namespace iotsky
