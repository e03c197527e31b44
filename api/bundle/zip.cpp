#include "api/bundle/zip.hpp"

#include <archive.h>
#include <archive_entry.h>

#include "api/errors.hpp"
#include "base/secret.hpp"

namespace iotsky::api {
namespace {

struct ArchiveFree {
    void operator()(archive* a) const noexcept { archive_write_free(a); }
};
struct EntryFree {
    void operator()(archive_entry* entry) const noexcept { archive_entry_free(entry); }
};
using ArchivePtr = std::unique_ptr<archive, ArchiveFree>;
using EntryPtr = std::unique_ptr<archive_entry, EntryFree>;

/// Appends, and wipes what a growing string leaves behind.
la_ssize_t append(archive* /*a*/, void* out, const void* bytes, std::size_t size) {
    auto& text = *static_cast<std::string*>(out);
    if (text.size() + size > text.capacity()) {
        std::string grown;
        grown.reserve((text.size() + size) * 2);
        grown = text;
        wipe(text);
        text = std::move(grown);
    }
    text.append(static_cast<const char*>(bytes), size);
    return static_cast<la_ssize_t>(size);
}

}  // namespace

struct ZipWriter::Impl {
    std::string out;
    ArchivePtr zip{archive_write_new()};
    WallTime now{};
    bool broken = false;

    Error fault() {
        const char* text = archive_error_string(zip.get());
        return own_fault(std::string{"zip: "} + (text != nullptr ? text : "unknown"));
    }
};

ZipWriter::ZipWriter(WallTime now) : impl_(std::make_unique<Impl>()) {
    impl_->now = now;
    archive* const zip = impl_->zip.get();
    impl_->broken = archive_write_set_format_zip(zip) != ARCHIVE_OK ||
                    archive_write_set_bytes_in_last_block(zip, 1) != ARCHIVE_OK ||
                    archive_write_open(zip, &impl_->out, nullptr, append, nullptr) != ARCHIVE_OK;
}

ZipWriter::~ZipWriter() {
    impl_->zip.reset();
    wipe(impl_->out);
}

Result<void> ZipWriter::add(std::string_view folder, std::span<const BundleFile> files) {
    if (impl_->broken) {
        return impl_->fault();
    }
    for (const BundleFile& file : files) {
        const EntryPtr entry{archive_entry_new()};
        const std::string path = std::string{folder} + file.path;
        archive_entry_set_pathname(entry.get(), path.c_str());
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(file.content.size()));
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), file.executable ? 0700 : 0600);
        archive_entry_set_mtime(entry.get(), to_unix_s(impl_->now), 0);
        const std::string_view content = file.content.view();
        if (archive_write_header(impl_->zip.get(), entry.get()) != ARCHIVE_OK ||
            archive_write_data(impl_->zip.get(), content.data(), content.size()) !=
                static_cast<la_ssize_t>(content.size())) {
            return impl_->fault();
        }
    }
    return {};
}

Result<std::string> ZipWriter::finish() {
    if (impl_->broken || archive_write_close(impl_->zip.get()) != ARCHIVE_OK) {
        return impl_->fault();
    }
    return std::move(impl_->out);
}

}  // namespace iotsky::api
