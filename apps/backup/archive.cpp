#include "apps/backup/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <set>

#include "apps/files.hpp"
#include "base/bytes.hpp"
#include "base/c_handle.hpp"
#include "base/file_io.hpp"
#include "base/text.hpp"
#include "base/unique_fd.hpp"
#include "storage/snapshot.hpp"

namespace iotsky::apps::backup {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPartBytes = std::size_t{256} * 1024;
/// Names as they are: libarchive would turn them into the characters of the locale, which in "C"
/// has none beyond ASCII.
constexpr const char* kNamesAsTheyAre = "hdrcharset=BINARY";
constexpr std::size_t kFilesMax = 10'000;

using WritePtr = CHandle<archive, archive_write_free>;
using ReadPtr = CHandle<archive, archive_read_free>;
using EntryPtr = CHandle<archive_entry, archive_entry_free>;

class Sha256 {
  public:
    Sha256() { EVP_DigestInit_ex(ctx_.get(), EVP_sha256(), nullptr); }
    void add(const void* bytes, std::size_t size) { EVP_DigestUpdate(ctx_.get(), bytes, size); }
    std::string hex() {
        std::array<std::uint8_t, 32> out{};
        EVP_DigestFinal_ex(ctx_.get(), out.data(), nullptr);
        return to_hex(out);
    }

  private:
    CHandle<EVP_MD_CTX, EVP_MD_CTX_free> ctx_{EVP_MD_CTX_new()};
};

Error archive_fault(archive* of) {
    const char* text = archive_error_string(of);
    Error error = make_error(Errc::internal, "E5109", "The backup could not be put together.",
                             "The archive library refused.", "Please report it with the log.");
    error.detail = text == nullptr ? "libarchive: unknown" : text;
    return error;
}

}  // namespace

struct ArchiveWriter::Impl {
    certs::SealedWriter& out;
    WallTime now;
    WritePtr tar{archive_write_new()};
    std::optional<Error> failed;
    std::vector<FileEntry> files;
    bool broken = false;
    bool given_up = false;

    Impl(certs::SealedWriter& sealed, WallTime at) : out(sealed), now(at) {
        broken = archive_write_set_format_pax_restricted(tar.get()) != ARCHIVE_OK ||
                 archive_write_set_options(tar.get(), kNamesAsTheyAre) != ARCHIVE_OK ||
                 archive_write_set_bytes_per_block(tar.get(), 65'536) != ARCHIVE_OK ||
                 archive_write_set_bytes_in_last_block(tar.get(), 1) != ARCHIVE_OK ||
                 archive_write_open(tar.get(), this, nullptr, take, nullptr) != ARCHIVE_OK;
    }

    /// Never says that it failed: libarchive would forget its buffer. Whoever writes looks at
    /// `failed`.
    static la_ssize_t take(archive* /*from*/, void* self, const void* bytes, std::size_t size) {
        auto& impl = *static_cast<Impl*>(self);
        if (!impl.failed && !impl.given_up) {
            if (auto written = impl.out.write({static_cast<const std::byte*>(bytes), size});
                !written) {
                impl.failed = std::move(written).error();
            }
        }
        return static_cast<la_ssize_t>(size);
    }
    [[nodiscard]] Error fault() { return failed ? *failed : archive_fault(tar.get()); }

    Result<void> begin(std::string_view path, std::uint64_t bytes) {
        const EntryPtr entry{archive_entry_new()};
        archive_entry_set_pathname(entry.get(), std::string{path}.c_str());
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), 0600);
        archive_entry_set_mtime(entry.get(), to_unix_s(now), 0);
        if (broken || archive_write_header(tar.get(), entry.get()) != ARCHIVE_OK || failed) {
            return fault();
        }
        return {};
    }
    Result<void> add(const void* bytes, std::size_t size) {
        const bool whole =
            archive_write_data(tar.get(), bytes, size) == static_cast<la_ssize_t>(size);
        return whole && !failed ? Result<void>{} : fault();
    }
};

ArchiveWriter::ArchiveWriter(certs::SealedWriter& out, WallTime now)
    : impl_(std::make_unique<Impl>(out, now)) {}
ArchiveWriter::~ArchiveWriter() {
    impl_->given_up = true;  // libarchive pads and flushes what was not finished
    impl_->tar.reset();
}

Result<void> ArchiveWriter::add_file(std::string_view path, const fs::path& source,
                                     const GoOn& go_on) {
    const UniqueFd file{::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat info {};
    if (!file || ::fstat(file.get(), &info) != 0) {
        return certs::sealed_disk_error(source, errno);
    }
    const auto bytes = static_cast<std::uint64_t>(info.st_size);
    IOTSKY_CHECK(impl_->begin(path, bytes));
    Sha256 hash;
    std::vector<std::byte> part(kPartBytes);
    std::uint64_t done = 0;
    while (done < bytes) {
        const ssize_t count =
            ::read(file.get(), part.data(), std::min<std::uint64_t>(part.size(), bytes - done));
        if (count <= 0 && !(count < 0 && errno == EINTR)) {
            return certs::sealed_disk_error(source, count == 0 ? EIO : errno);
        }
        const auto size = static_cast<std::size_t>(std::max<ssize_t>(count, 0));
        hash.add(part.data(), size);
        IOTSKY_CHECK(impl_->add(part.data(), size));
        done += size;
        if (!go_on()) {
            return storage::copy_ended();
        }
    }
    impl_->files.push_back({std::string{path}, bytes, hash.hex()});
    return {};
}

Result<void> ArchiveWriter::add_text(std::string_view path, std::string_view text) {
    IOTSKY_CHECK(impl_->begin(path, text.size()));
    IOTSKY_CHECK(impl_->add(text.data(), text.size()));
    Sha256 hash;
    hash.add(text.data(), text.size());
    impl_->files.push_back({std::string{path}, text.size(), hash.hex()});
    return {};
}

Result<void> ArchiveWriter::finish() {
    if (archive_write_close(impl_->tar.get()) != ARCHIVE_OK || impl_->failed) {
        return impl_->fault();
    }
    return impl_->out.finish();
}

const std::vector<FileEntry>& ArchiveWriter::files() const noexcept {
    return impl_->files;
}

namespace {

/// Feeds libarchive from a sealed file.
struct Feed {
    certs::SealedReader& in;
    std::optional<Error> failed;

    static la_ssize_t give(archive* to, void* self, const void** bytes) {
        auto& feed = *static_cast<Feed*>(self);
        auto part = feed.in.read();
        if (!part) {
            feed.failed = std::move(part).error();
            archive_set_error(to, EIO, "sealed file");
            return -1;
        }
        *bytes = part->data();
        return static_cast<la_ssize_t>(part->size());
    }
};

Result<FileEntry> extract_one(archive* tar, std::string path, const fs::path& target) {
    IOTSKY_CHECK(make_folder(target.parent_path()));
    const mode_t mode = path.ends_with(".crt") ? 0644 : 0600;  // clients may read those
    const UniqueFd file{
        ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!file || ::fchmod(file.get(), mode) != 0) {  // whatever the umask
        return certs::sealed_disk_error(target, errno);
    }
    Sha256 hash;
    FileEntry entry{std::move(path), 0, {}};
    std::vector<std::byte> part(kPartBytes);
    for (;;) {
        const la_ssize_t count = archive_read_data(tar, part.data(), part.size());
        if (count < 0) {
            return archive_fault(tar);
        }
        if (count == 0) {
            break;
        }
        const auto size = static_cast<std::size_t>(count);
        hash.add(part.data(), size);
        entry.bytes += size;
        if (const int fault = write_all(file.get(), std::span{part}.first(size)); fault != 0) {
            return certs::sealed_disk_error(target, fault);
        }
    }
    if (::fsync(file.get()) != 0) {
        return certs::sealed_disk_error(target, errno);
    }
    entry.sha256 = hash.hex();
    return entry;
}

}  // namespace

Result<std::vector<FileEntry>> extract(certs::SealedReader& in, const fs::path& into,
                                       const fs::path& name) {
    const ReadPtr tar{archive_read_new()};
    Feed feed{in, {}};
    archive_read_support_format_tar(tar.get());
    archive_read_set_options(tar.get(), kNamesAsTheyAre);
    std::vector<FileEntry> files;
    std::set<std::string> seen;
    const auto fault = [&]() -> Error {
        return feed.failed ? *feed.failed : not_whole(name, archive_fault(tar.get()).detail + ".");
    };
    if (archive_read_open(tar.get(), &feed, nullptr, Feed::give, nullptr) != ARCHIVE_OK) {
        return fault();
    }
    archive_entry* entry = nullptr;
    int code = ARCHIVE_OK;
    while ((code = archive_read_next_header(tar.get(), &entry)) == ARCHIVE_OK) {
        const char* text = archive_entry_pathname(entry);
        const std::string path = text == nullptr ? "" : text;
        if (!is_known_path(path) || archive_entry_filetype(entry) != AE_IFREG ||
            archive_entry_hardlink(entry) != nullptr || !seen.insert(path).second ||
            seen.size() > kFilesMax) {
            return not_whole(name, "It holds \"" + escape(path, 80) + "\", which no backup has.");
        }
        auto written = extract_one(tar.get(), path, into / path);
        if (!written) {
            return feed.failed ? *feed.failed : std::move(written).error();
        }
        files.push_back(std::move(*written));
    }
    if (code != ARCHIVE_EOF || feed.failed) {
        return fault();
    }
    // What follows the archive's end is authenticated, too: only the sealed file's own end is one.
    for (;;) {
        IOTSKY_TRY(rest, in.read());
        if (rest.empty()) {
            return files;
        }
    }
}

}  // namespace iotsky::apps::backup
