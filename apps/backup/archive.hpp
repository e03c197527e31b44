#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "apps/backup/description.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "certs/sealed_file.hpp"

namespace iotsky::apps::backup {

/// Called while long work goes on; false ends it (E5110).
using GoOn = std::function<bool()>;

/// A tar archive that goes, file after file, into a sealed file. Confined to one thread.
class ArchiveWriter {
  public:
    /// `out` outlives it; `now` becomes the time of every file.
    ArchiveWriter(certs::SealedWriter& out, WallTime now);
    ~ArchiveWriter();
    ArchiveWriter(const ArchiveWriter&) = delete;
    ArchiveWriter& operator=(const ArchiveWriter&) = delete;

    /// Errors: those of SealedWriter::write; E5109 `source` cannot be read; E5110.
    [[nodiscard]] Result<void> add_file(std::string_view path, const std::filesystem::path& source,
                                        const GoOn& go_on);
    [[nodiscard]] Result<void> add_text(std::string_view path, std::string_view text);
    /// Ends the archive and the sealed file.
    [[nodiscard]] Result<void> finish();
    [[nodiscard]] const std::vector<FileEntry>& files() const noexcept;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Writes the files of an archive below `into`, a new folder that is ours alone (files 0600,
/// folders 0700), up to the end of the sealed file. `name` is for errors.
/// @return What was written, in its order. Errors: those of SealedReader::read; E5107 a path that
///         no backup of ours has, or not an archive; E5103, E5109 disk.
[[nodiscard]] Result<std::vector<FileEntry>> extract(certs::SealedReader& in,
                                                     const std::filesystem::path& into,
                                                     const std::filesystem::path& name);

}  // namespace iotsky::apps::backup
