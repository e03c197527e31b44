#include "certs/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/errno_text.hpp"
#include "base/file_io.hpp"
#include "base/unique_fd.hpp"

namespace iotsky::certs {
namespace {

namespace fs = std::filesystem;

Error disk_error(const fs::path& path, std::string_view what) {
    const std::string reason = errno_text(errno);
    return make_error(Errc::io, "E5211", "Cannot " + std::string{what} + " " + path.string() + ".",
                      reason + ".",
                      "Check owner, free space and mount of " + path.parent_path().string() + ".");
}

Error missing_file(const fs::path& path) {
    return make_error(Errc::not_found, "E5205", path.string() + " is missing.",
                      "The CA cannot work with a part of its files.",
                      "Restore it from a backup. Nothing was changed.");
}

std::string octal(unsigned mode) {
    std::array<char, 8> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "%04o", mode & 07777U));
    return text.data();
}

Error open_to_others(const fs::path& path, unsigned mode, std::string_view right_mode) {
    return make_error(Errc::permission_denied, "E5203",
                      path.string() + " has mode " + octal(mode) + ".",
                      "Other users of this machine could read or change it.",
                      "chmod " + std::string{right_mode} + " " + path.string());
}

Error foreign_owner(const fs::path& path, uid_t owner) {
    return make_error(Errc::permission_denied, "E5203",
                      path.string() + " belongs to user id " + std::to_string(owner) + ".",
                      "Its owner could read or change it.",
                      "chown " + std::to_string(::geteuid()) + " " + path.string());
}

/// Root may read what another user owns: the service's own files, by the command line.
bool is_trusted_owner(uid_t owner) noexcept {
    return owner == ::geteuid() || owner == 0 || ::geteuid() == 0;
}

Result<void> check_stat(const fs::path& path, const struct stat& info, FileKind kind) {
    if (!S_ISREG(info.st_mode)) {
        return damaged_file(path, "It is not a regular file.");
    }
    const unsigned forbidden = kind == FileKind::secret ? 0077U : 0022U;
    if ((info.st_mode & forbidden) != 0) {
        return open_to_others(path, info.st_mode, kind == FileKind::secret ? "0600" : "0644");
    }
    if (!is_trusted_owner(info.st_uid)) {
        return foreign_owner(path, info.st_uid);
    }
    return {};
}

Result<void> write_temporary(const fs::path& temporary, std::string_view content, FileKind kind) {
    // Left over by a process that was killed; it never had the real name.
    ::unlink(temporary.c_str());
    const UniqueFd file{
        ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600)};
    const mode_t mode = kind == FileKind::secret ? 0600 : 0644;
    if (!file || write_all(file.get(), as_bytes(content)) != 0 || ::fchmod(file.get(), mode) != 0 ||
        ::fsync(file.get()) != 0) {
        return disk_error(temporary, "write");
    }
    return {};
}

/// Gives `temporary` its name. link() refuses an existing name in one step, rename() replaces it.
Result<void> publish(const fs::path& temporary, const fs::path& path, IfExists if_exists) {
    if (if_exists == IfExists::replace) {
        return rename_durably(temporary, path);
    }
    if (::link(temporary.c_str(), path.c_str()) != 0) {
        Error error =
            errno == EEXIST
                ? make_error(Errc::already_exists, "E5209", path.string() + " exists already.",
                             "Keys and certificates are never overwritten.",
                             "Move the file away if it is not needed any more.")
                : disk_error(path, "create");
        ::unlink(temporary.c_str());
        return error;
    }
    ::unlink(temporary.c_str());
    return sync_folder(path.parent_path());
}

}  // namespace

Error damaged_file(const fs::path& path, std::string why) {
    return make_error(Errc::corrupt, "E5204", path.string() + " is damaged.", std::move(why),
                      "Restore it from a backup. Nothing was changed.");
}

Result<void> write_file(const fs::path& path, std::string_view content, FileKind kind,
                        IfExists if_exists) {
    const fs::path temporary = path.parent_path() / ("." + path.filename().string() + ".tmp");
    if (auto written = write_temporary(temporary, content, kind); !written) {
        ::unlink(temporary.c_str());
        return written;
    }
    return publish(temporary, path, if_exists);
}

Result<SecretString> read_file(const fs::path& path, FileKind kind, std::size_t bytes_max) {
    // O_NONBLOCK: a FIFO of that name must not hang the start.
    const UniqueFd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file) {
        return errno == ENOENT ? missing_file(path) : disk_error(path, "read");
    }
    struct stat info {};
    if (::fstat(file.get(), &info) != 0) {
        return disk_error(path, "read");
    }
    IOTSKY_CHECK(check_stat(path, info, kind));
    const auto size = static_cast<std::size_t>(info.st_size);
    if (size == 0 || size > bytes_max) {
        return damaged_file(path, size == 0 ? "It is empty." : "It is far too long.");
    }
    SecretString content = SecretString::of_length(size);
    const auto have = read_all(file.get(), std::as_writable_bytes(std::span{content.data(), size}));
    if (!have) {
        return disk_error(path, "read");
    }
    if (*have < size) {
        return damaged_file(path, "It became shorter while it was read.");
    }
    return content;
}

Result<void> erase_file(const fs::path& path) {
    struct stat info {};
    const UniqueFd file{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW)};
    if (!file) {
        return errno == ENOENT ? missing_file(path) : disk_error(path, "open");
    }
    if (::fstat(file.get(), &info) != 0 ||
        write_all(file.get(), std::vector<std::byte>(static_cast<std::size_t>(info.st_size))) !=
            0 ||
        ::fsync(file.get()) != 0 || ::unlink(path.c_str()) != 0) {
        return disk_error(path, "erase");
    }
    return sync_folder(path.parent_path());
}

Result<void> make_private_folder(const fs::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0) {
        return disk_error(path, "make the folder");
    }
    return sync_folder(path.parent_path());
}

Result<void> check_private_folder(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        return errno == ENOENT ? missing_file(path) : disk_error(path, "read");
    }
    if (!S_ISDIR(info.st_mode)) {
        return damaged_file(path, "It is not a folder.");
    }
    if ((info.st_mode & 0077U) != 0) {
        return open_to_others(path, info.st_mode, "0700");
    }
    return is_trusted_owner(info.st_uid) ? Result<void>{} : foreign_owner(path, info.st_uid);
}

Result<void> sync_folder(const fs::path& path) {
    return sync_names_in(path) == 0 ? Result<void>{} : disk_error(path, "write");
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0) {
        return disk_error(to, "create");
    }
    return sync_folder(to.parent_path());
}

}  // namespace iotsky::certs
