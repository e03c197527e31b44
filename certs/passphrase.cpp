#include "certs/passphrase.hpp"

#include <cstdlib>
#include <system_error>
#include <utility>

#include "certs/files.hpp"

namespace iotsky::certs {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPassphraseBytesMax = 1024;
constexpr std::string_view kCredential = "iotsky-ca-passphrase";

Error unusable(const fs::path& path, std::string why) {
    return make_error(Errc::invalid_argument, "E5208",
                      "The passphrase of the CA keys cannot be taken from " + path.string() + ".",
                      std::move(why),
                      "Put one line of 1 to 1024 bytes into the file, mode 0600, or take "
                      "passphrase_file out of the configuration.");
}

/// systemd shows a credential's access list as group bits and keeps the folder closed itself, so
/// that its mode says nothing.
FileKind kind_of(const fs::path& path, const PassphraseSource& source) {
    return path == source.file ? FileKind::secret : FileKind::public_text;
}

}  // namespace

PassphraseSource passphrase_source(fs::path file) {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): read at start, before there are threads
    const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
    return {std::move(file), folder == nullptr ? fs::path{} : fs::path{folder}};
}

Result<std::optional<SecretString>> read_passphrase(const PassphraseSource& source) {
    fs::path path = source.file;
    if (path.empty() && !source.credentials_directory.empty()) {
        path = source.credentials_directory / kCredential;
        std::error_code ignored;
        if (!fs::exists(path, ignored)) {
            return std::optional<SecretString>{};  // the unit has other credentials, not this one
        }
    }
    if (path.empty()) {
        return std::optional<SecretString>{};
    }
    auto text = read_file(path, kind_of(path, source), kPassphraseBytesMax + 2);
    if (!text) {
        return text.error().number == "E5203" ? std::move(text).error()
                                              : unusable(path, text.error().why);
    }
    const std::string_view line = text->view().substr(0, text->view().find_first_of("\r\n"));
    if (line.empty() || line.size() > kPassphraseBytesMax) {
        return unusable(path, line.empty() ? "Its first line is empty."
                                           : "Its first line is longer than 1024 bytes.");
    }
    return std::optional<SecretString>{SecretString{line}};
}

}  // namespace iotsky::certs
