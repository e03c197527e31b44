#include "certs/sealed_file.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/errno_text.hpp"
#include "base/file_io.hpp"
#include "base/unique_fd.hpp"
#include "certs/files.hpp"
#include "certs/ossl_ptr.hpp"

namespace iotsky::certs {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "iotsky-sealed 1\n";
constexpr std::string_view kMagicAnyFormat = "iotsky-sealed ";
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kNonceBytes = 12;
constexpr std::uint32_t kLast = 1U << 31U;
constexpr std::uint64_t kChunksToDisk = 64;  // 4 MiB
constexpr std::uint64_t kScryptN = 1U << 16U;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 1;
constexpr std::uint64_t kScryptBytesMax = 80U << 20U;

using CipherCtx = ossl::Ptr<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;
using Tag = std::array<std::byte, kTagBytes>;
using Hash = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

const unsigned char* raw(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(std::span<std::byte> bytes) {
    return reinterpret_cast<unsigned char*>(bytes.data());
}

Error broken(const fs::path& path, std::string detail) {
    Error error =
        make_error(Errc::corrupt, "E5104", "Wrong passphrase, or " + path.string() + " is damaged.",
                   "Its checksums do not fit; nothing of it was used.",
                   "Give the passphrase with which it was made; if that is right, take "
                   "another copy of the file.");
    error.detail = std::move(detail);
    return error;
}

/// Key material of one file: what a chunk's tag stands on.
class Sealer {
  public:
    Sealer(std::string_view header, std::span<const std::byte> salt) {
        std::vector<std::byte> all;
        ByteWriter out{all};
        out.raw(as_bytes(kMagic));
        out.counted(header);
        out.raw(salt);
        SHA256(raw(std::span<const std::byte>{all}), all.size(), file_.data());
    }
    ~Sealer() { OPENSSL_cleanse(key_.data(), key_.size()); }
    Sealer(const Sealer&) = delete;
    Sealer& operator=(const Sealer&) = delete;

    [[nodiscard]] bool set_passphrase(std::string_view passphrase,
                                      std::span<const std::byte> salt) {
        encrypted_ = !passphrase.empty();
        return !encrypted_ || EVP_PBE_scrypt(passphrase.data(), passphrase.size(), raw(salt),
                                             salt.size(), kScryptN, kScryptR, kScryptP,
                                             kScryptBytesMax, key_.data(), key_.size()) == 1;
    }

    /// Encrypts `bytes` in place. @return the tag; nullopt when OpenSSL fails.
    [[nodiscard]] std::optional<Tag> seal(std::span<std::byte> bytes, std::uint64_t chunk,
                                          bool last) const {
        return encrypted_ ? encrypt(bytes, chunk, last) : std::optional{digest(bytes, chunk, last)};
    }
    /// Decrypts in place; false: not what was sealed.
    [[nodiscard]] bool open(std::span<std::byte> bytes, std::uint64_t chunk, bool last,
                            Tag tag) const {
        if (encrypted_) {
            return decrypt(bytes, chunk, last, tag);
        }
        const Tag expected = digest(bytes, chunk, last);
        return CRYPTO_memcmp(expected.data(), tag.data(), tag.size()) == 0;
    }

  private:
    /// The file, the chunk's number, whether it is the last one.
    [[nodiscard]] std::vector<std::byte> place(std::uint64_t chunk, bool last) const {
        std::vector<std::byte> out;
        ByteWriter writer{out};
        writer.raw(std::as_bytes(std::span{file_}));
        writer.u64(chunk);
        writer.u8(last ? 1 : 0);
        return out;
    }
    [[nodiscard]] static std::array<unsigned char, kNonceBytes> nonce(std::uint64_t chunk) {
        std::array<unsigned char, kNonceBytes> out{};
        std::memcpy(out.data(), &chunk, sizeof chunk);
        return out;
    }

    [[nodiscard]] std::optional<Tag> encrypt(std::span<std::byte> bytes, std::uint64_t chunk,
                                             bool last) const {
        const CipherCtx ctx{EVP_CIPHER_CTX_new()};
        const auto aad = place(chunk, last);
        int done = 0;
        Tag tag{};
        const bool sealed =
            ctx &&
            EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, key_.data(),
                               nonce(chunk).data()) == 1 &&
            EVP_EncryptUpdate(ctx.get(), nullptr, &done, raw(std::span<const std::byte>{aad}),
                              static_cast<int>(aad.size())) == 1 &&
            EVP_EncryptUpdate(ctx.get(), raw(bytes), &done, raw(bytes),
                              static_cast<int>(bytes.size())) == 1 &&
            EVP_EncryptFinal_ex(ctx.get(), raw(bytes) + done, &done) == 1 &&
            EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
        return sealed ? std::optional{tag} : std::nullopt;
    }
    [[nodiscard]] bool decrypt(std::span<std::byte> bytes, std::uint64_t chunk, bool last,
                               Tag tag) const {
        const CipherCtx ctx{EVP_CIPHER_CTX_new()};
        const auto aad = place(chunk, last);
        int done = 0;
        return ctx &&
               EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, key_.data(),
                                  nonce(chunk).data()) == 1 &&
               EVP_DecryptUpdate(ctx.get(), nullptr, &done, raw(std::span<const std::byte>{aad}),
                                 static_cast<int>(aad.size())) == 1 &&
               EVP_DecryptUpdate(ctx.get(), raw(bytes), &done, raw(bytes),
                                 static_cast<int>(bytes.size())) == 1 &&
               EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
               EVP_DecryptFinal_ex(ctx.get(), raw(bytes) + done, &done) == 1;
    }
    [[nodiscard]] Tag digest(std::span<const std::byte> bytes, std::uint64_t chunk,
                             bool last) const {
        std::vector<std::byte> all = place(chunk, last);
        all.insert(all.end(), bytes.begin(), bytes.end());
        Hash hash{};
        SHA256(raw(std::span<const std::byte>{all}), all.size(), hash.data());
        Tag tag{};
        std::memcpy(tag.data(), hash.data(), tag.size());
        return tag;
    }

    Hash file_{};
    std::array<unsigned char, kKeyBytes> key_{};
    bool encrypted_ = false;
};

}  // namespace

Error sealed_disk_error(const fs::path& path, int number) {
    if (number == ENOSPC || number == EDQUOT) {
        return make_error(Errc::io, "E5103", "No space for " + path.string() + ".",
                          "The disk is full; what was unfinished was removed.",
                          "Free some space (df -h shows where), or write to another disk.");
    }
    return make_error(Errc::io, "E5109", path.string() + " cannot be read or written.",
                      errno_text(number) + ".",
                      "Check that it exists, its owner, and the disk (ls -ld, df -h).");
}

Error not_sealed(const fs::path& path, std::string why) {
    return make_error(Errc::invalid_argument, "E5105",
                      path.string() + " is not a backup that this program can read.",
                      std::move(why), "Give a file that `iotsky backup create` has made.");
}

struct SealedWriter::Impl {
    Impl(fs::path at, std::string_view header, std::span<const std::byte> salt)
        : path(std::move(at)), sealer(header, salt) {}
    ~Impl() {
        if (fd && !finished) {
            ::unlink(path.c_str());
        }
        OPENSSL_cleanse(chunk.data(), chunk.size());
    }

    Result<void> flush(bool last) {
        const auto length = static_cast<std::uint32_t>(chunk.size()) | (last ? kLast : 0U);
        const auto tag = sealer.seal(chunk, number++, last);
        if (!tag) {
            return make_error(Errc::internal, "E5109", path.string() + " cannot be sealed.",
                              "OpenSSL refused.", "Please report it with the log.");
        }
        std::vector<std::byte> framed;
        ByteWriter out{framed};
        out.u32(length);
        out.raw(chunk);
        out.raw(*tag);
        chunk.clear();
        int fault = write_all(fd.get(), framed);
        if (fault == 0 && number % kChunksToDisk == 0 && ::fdatasync(fd.get()) != 0) {
            fault = errno;
        }
        return fault == 0 ? Result<void>{} : sealed_disk_error(path, fault);
    }

    fs::path path;
    Sealer sealer;
    UniqueFd fd;
    bool finished = false;
    std::uint64_t number = 0;
    std::vector<std::byte> chunk;
};

SealedWriter::SealedWriter(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
SealedWriter::~SealedWriter() = default;

Result<std::unique_ptr<SealedWriter>> SealedWriter::create(const fs::path& path,
                                                           std::string_view header,
                                                           std::string_view passphrase,
                                                           Random& random) {
    std::array<std::byte, kSaltBytes> salt{};
    random.fill(salt);
    auto impl = std::make_unique<Impl>(path, header, salt);
    if (!impl->sealer.set_passphrase(passphrase, salt)) {
        return make_error(Errc::unavailable, "E5109", "No key could be made of the passphrase.",
                          "It needs 64 MiB of memory for a moment.", "Free some memory.");
    }
    impl->fd =
        UniqueFd{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (!impl->fd) {
        return sealed_disk_error(path, errno);
    }
    impl->chunk.reserve(kSealedChunkBytes);
    std::vector<std::byte> front;
    ByteWriter out{front};
    out.raw(as_bytes(kMagic));
    out.counted(header);
    out.raw(salt);
    if (const int fault = write_all(impl->fd.get(), front); fault != 0) {
        return sealed_disk_error(path, fault);
    }
    return std::unique_ptr<SealedWriter>(new SealedWriter(std::move(impl)));
}

Result<void> SealedWriter::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        if (impl_->chunk.size() == kSealedChunkBytes) {
            IOTSKY_CHECK(impl_->flush(false));
        }
        const auto part =
            bytes.first(std::min(bytes.size(), kSealedChunkBytes - impl_->chunk.size()));
        impl_->chunk.insert(impl_->chunk.end(), part.begin(), part.end());
        bytes = bytes.subspan(part.size());
    }
    return {};
}

Result<void> SealedWriter::finish() {
    IOTSKY_CHECK(impl_->flush(true));
    if (::fsync(impl_->fd.get()) != 0) {
        return sealed_disk_error(impl_->path, errno);
    }
    impl_->finished = true;
    return sync_folder(impl_->path.parent_path());
}

struct SealedReader::Impl {
    ~Impl() { OPENSSL_cleanse(chunk.data(), chunk.size()); }

    Result<std::size_t> take(std::span<std::byte> into) {
        const auto have = read_all(fd.get(), into);
        return have ? Result<std::size_t>{*have} : sealed_disk_error(path, errno);
    }
    Result<void> read_front();
    Result<void> read_chunk(std::uint32_t length, bool is_last);

    fs::path path;
    UniqueFd fd;
    std::string header;
    std::array<std::byte, kSaltBytes> salt{};
    std::optional<Sealer> sealer;
    std::uint64_t number = 0;
    bool last_seen = false;
    std::vector<std::byte> chunk;
};

SealedReader::SealedReader(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
SealedReader::~SealedReader() = default;

Result<void> SealedReader::Impl::read_front() {
    std::vector<std::byte> front(kMagic.size() + 4);
    IOTSKY_TRY(have, take(front));
    const std::string_view magic = as_text(front).substr(0, kMagic.size());
    if (have < front.size() || magic != kMagic) {
        return not_sealed(path, magic.starts_with(kMagicAnyFormat)
                                    ? "A later iotsky made it in another format."
                                    : "It does not begin as one.");
    }
    ByteReader length{std::span<const std::byte>{front}.subspan(kMagic.size())};
    const std::uint32_t header_bytes = length.u32();
    if (header_bytes > kSealedHeaderBytesMax) {
        return not_sealed(path, "Its header is longer than any of ours.");
    }
    std::vector<std::byte> rest(header_bytes + kSaltBytes);
    IOTSKY_TRY(rest_bytes, take(rest));
    if (rest_bytes < rest.size()) {
        return not_sealed(path, "It ends within its header.");
    }
    header = as_text(std::span{rest}.first(header_bytes));
    std::memcpy(salt.data(), rest.data() + header_bytes, salt.size());
    return {};
}

Result<std::unique_ptr<SealedReader>> SealedReader::open(const fs::path& path) {
    auto impl = std::make_unique<Impl>();
    impl->path = path;
    impl->fd = UniqueFd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    struct stat info {};
    if (!impl->fd || ::fstat(impl->fd.get(), &info) != 0) {
        return sealed_disk_error(path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return not_sealed(path, "It is not a file.");
    }
    IOTSKY_CHECK(impl->read_front());
    return std::unique_ptr<SealedReader>(new SealedReader(std::move(impl)));
}

const std::string& SealedReader::header() const noexcept {
    return impl_->header;
}

Result<void> SealedReader::unlock(std::string_view passphrase) {
    impl_->sealer.emplace(impl_->header, impl_->salt);
    if (!impl_->sealer->set_passphrase(passphrase, impl_->salt)) {
        return make_error(Errc::unavailable, "E5109", "No key could be made of the passphrase.",
                          "It needs 64 MiB of memory for a moment.", "Free some memory.");
    }
    return {};
}

Result<void> SealedReader::Impl::read_chunk(std::uint32_t length, bool is_last) {
    chunk.resize(length + kTagBytes);
    IOTSKY_TRY(have, take(chunk));
    if (have < chunk.size()) {
        return broken(path, "it ends within chunk " + std::to_string(number));
    }
    Tag tag{};
    std::memcpy(tag.data(), chunk.data() + length, tag.size());
    chunk.resize(length);
    if (!sealer->open(chunk, number, is_last, tag)) {
        return broken(path, "chunk " + std::to_string(number) + " does not fit its tag");
    }
    ++number;
    return {};
}

Result<std::span<const std::byte>> SealedReader::read() {
    std::array<std::byte, 4> front{};
    IOTSKY_TRY(have, impl_->take(front));
    if (impl_->last_seen) {
        return have == 0 ? Result<std::span<const std::byte>>{std::span<const std::byte>{}}
                         : broken(impl_->path, "bytes follow its end");
    }
    ByteReader reader{front};
    const std::uint32_t word = reader.u32();
    const std::uint32_t length = word & ~kLast;
    const bool last = (word & kLast) != 0;
    if (have < front.size() || length > kSealedChunkBytes ||
        (!last && length != kSealedChunkBytes)) {
        return broken(impl_->path, "chunk " + std::to_string(impl_->number) + " is not complete");
    }
    IOTSKY_CHECK(impl_->read_chunk(length, last));
    impl_->last_seen = last;
    if (last && length == 0) {
        return read();  // only whether the file ends here
    }
    return std::span<const std::byte>{impl_->chunk};
}

}  // namespace iotsky::certs
