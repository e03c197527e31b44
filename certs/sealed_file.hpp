#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/random.hpp"

namespace iotsky::certs {

/// A long file under a passphrase: a plain header for people and programs, then chunks of 64 KiB of
/// which each is authenticated with its place and the header, so that nothing can be changed, moved
/// or cut off unseen. With a passphrase: AES-256-GCM, key by scrypt (N 2^16, r 8, p 1; 64 MiB).
/// Without one: SHA-256 in the same places, which shows damage but hides nothing.
///
/// On disk: "iotsky-sealed 1\n"; u32 length, header text; 16 bytes salt; then for each chunk u32
/// length (highest bit: the last one), the bytes, 16 bytes tag. Numbers are little-endian. A chunk
/// that is not the last one is full.
inline constexpr std::size_t kSealedChunkBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kSealedHeaderBytesMax = std::size_t{64} * 1024;

/// E5103 no space, else E5109 with the errno's words: the system refused `path`.
[[nodiscard]] Error sealed_disk_error(const std::filesystem::path& path, int number);
/// E5105: `path` is not a file of ours, because of `why`.
[[nodiscard]] Error not_sealed(const std::filesystem::path& path, std::string why);

/// Writes one. Confined to one thread; memory: one chunk, and 64 MiB while the key is made. 4 MiB
/// at most wait for the disk, so that nobody's sync, nor finish(), has to write gigabytes.
class SealedWriter {
  public:
    /// Makes `path` (0600), which must not exist. `passphrase` empty: not encrypted; the header
    /// must say so to whoever reads it. Errors: E5109 disk.
    [[nodiscard]] static Result<std::unique_ptr<SealedWriter>> create(
        const std::filesystem::path& path, std::string_view header, std::string_view passphrase,
        Random& random);
    /// Without finish(): the file is removed.
    ~SealedWriter();
    SealedWriter(const SealedWriter&) = delete;
    SealedWriter& operator=(const SealedWriter&) = delete;

    /// Error: E5103 no space, E5109 disk.
    [[nodiscard]] Result<void> write(std::span<const std::byte> bytes);
    /// Writes the last chunk; everything is on disk when it returns. Errors as write().
    [[nodiscard]] Result<void> finish();

  private:
    struct Impl;
    explicit SealedWriter(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

/// Reads one. Confined to one thread.
class SealedReader {
  public:
    /// Reads the header. Errors: E5105 not such a file, or of a later format; E5109 disk.
    [[nodiscard]] static Result<std::unique_ptr<SealedReader>> open(
        const std::filesystem::path& path);
    ~SealedReader();
    SealedReader(const SealedReader&) = delete;
    SealedReader& operator=(const SealedReader&) = delete;

    /// As it was given to create(); not proven before unlock() and the first read().
    [[nodiscard]] const std::string& header() const noexcept;
    /// Makes the key; empty: the file is not encrypted.
    [[nodiscard]] Result<void> unlock(std::string_view passphrase);
    /// The next bytes, up to a chunk; they live until the next call. Empty: the end, and the file
    /// is whole. Errors: E5104 wrong passphrase, or damaged; E5109 disk.
    [[nodiscard]] Result<std::span<const std::byte>> read();

  private:
    struct Impl;
    explicit SealedReader(std::unique_ptr<Impl> impl) noexcept;
    std::unique_ptr<Impl> impl_;
};

}  // namespace iotsky::certs
