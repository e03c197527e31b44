#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "api/bundle/files.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"

namespace iotsky::api {

/// Writes a zip archive into memory, file after file. The archive holds private keys: whoever takes
/// it wipes it. Confined to one thread.
class ZipWriter {
  public:
    /// `now` becomes the time of every file.
    explicit ZipWriter(WallTime now);
    ~ZipWriter();
    ZipWriter(const ZipWriter&) = delete;
    ZipWriter& operator=(const ZipWriter&) = delete;

    /// Adds files below `folder` ("" or "otter/weather/"). Error: internal.
    [[nodiscard]] Result<void> add(std::string_view folder, std::span<const BundleFile> files);
    /// Ends the archive and gives its bytes. Error: internal.
    [[nodiscard]] Result<std::string> finish();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace iotsky::api
