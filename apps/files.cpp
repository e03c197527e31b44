#include "apps/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/errno_text.hpp"
#include "base/file_io.hpp"
#include "base/unique_fd.hpp"

namespace iotsky::apps {
namespace {

Error disk_error(const std::filesystem::path& file, int number) {
    return make_error(Errc::io, "E1161", "Cannot write " + file.string() + ".",
                      errno_text(number) + ".",
                      "Check the folder's owner and the free space (ls -ld, df -h).");
}

int write_and_sync(int fd, std::string_view content) {
    const int fault = write_all(fd, as_bytes(content));
    return fault != 0 ? fault : ::fsync(fd) == 0 ? 0 : errno;
}

int copy_and_sync(int from, int to) {
    std::vector<std::byte> part(std::size_t{1} << 20U);
    for (;;) {
        const ssize_t count = ::read(from, part.data(), part.size());
        if (count == 0) {
            return ::fsync(to) == 0 ? 0 : errno;
        }
        if (count < 0 && errno != EINTR) {
            return errno;
        }
        if (const int fault = write_all(
                to, std::span{part}.first(static_cast<std::size_t>(std::max<ssize_t>(count, 0))));
            fault != 0) {
            return fault;
        }
    }
}

/// The file's name is durable then.
Result<void> sync_name(const std::filesystem::path& file) {
    const int fault = sync_names_in(file.parent_path());
    return fault == 0 ? Result<void>{} : disk_error(file.parent_path(), fault);
}

/// `fill` writes and syncs: 0, or the errno of what failed.
Result<void> replace_file(const std::filesystem::path& file, mode_t mode,
                          const std::function<int(int fd)>& fill) {
    std::string temporary = file.string() + ".XXXXXX";
    const UniqueFd opened{::mkostemp(temporary.data(), O_CLOEXEC)};
    if (!opened) {
        return disk_error(file, errno);
    }
    int fault = ::fchmod(opened.get(), mode) == 0 ? fill(opened.get()) : errno;
    if (fault == 0 && ::rename(temporary.c_str(), file.c_str()) != 0) {
        fault = errno;
    }
    if (fault != 0) {
        ::unlink(temporary.c_str());
        return disk_error(file, fault);
    }
    return sync_name(file);
}

}  // namespace

Result<void> write_atomically(const std::filesystem::path& file, std::string_view content,
                              mode_t mode) {
    return replace_file(file, mode, [&](int fd) { return write_and_sync(fd, content); });
}

Result<void> copy_durably(const std::filesystem::path& from, const std::filesystem::path& to,
                          mode_t mode) {
    const UniqueFd source{::open(from.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!source) {
        return make_error(Errc::io, "E1161", "Cannot read " + from.string() + ".",
                          errno_text(errno) + ".", "ls -l " + from.string());
    }
    return replace_file(to, mode, [&](int fd) { return copy_and_sync(source.get(), fd); });
}

Result<void> write_new(const std::filesystem::path& file, std::string_view content, mode_t mode) {
    const UniqueFd opened{::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)};
    if (!opened) {
        if (errno == EEXIST) {
            return make_error(Errc::already_exists, "E1164", file.string() + " exists already.",
                              "A key or certificate is never overwritten.",
                              "Give another folder with --out, or move the old files away.");
        }
        return disk_error(file, errno);
    }
    int fault = ::fchmod(opened.get(), mode) == 0 ? write_and_sync(opened.get(), content) : errno;
    if (fault != 0) {
        ::unlink(file.c_str());
        return disk_error(file, fault);
    }
    return sync_name(file);
}

Result<void> make_folder(const std::filesystem::path& folder) {
    std::error_code fault;
    const mode_t before = ::umask(S_IRWXG | S_IRWXO);
    std::filesystem::create_directories(folder, fault);
    ::umask(before);
    if (fault || !std::filesystem::is_directory(folder)) {
        return disk_error(folder, fault ? fault.value() : ENOTDIR);
    }
    return {};
}

}  // namespace iotsky::apps
