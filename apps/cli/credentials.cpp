#include "apps/cli/credentials.hpp"

#include <boost/json.hpp>

#include "apps/cli/names.hpp"
#include "apps/files.hpp"

namespace iotsky::apps::cli {
namespace {

namespace json = boost::json;

constexpr mode_t kPublic = 0644;
constexpr mode_t kSecret = 0600;

std::string element(const json::value& answer, std::string_view key, std::size_t index) {
    const json::value* list = answer.as_object().if_contains(key);
    if (list == nullptr || !list->is_array() || list->get_array().size() <= index ||
        !list->get_array()[index].is_string()) {
        return {};
    }
    return std::string{list->get_array()[index].get_string()};
}

Result<void> write_if_given(const std::filesystem::path& file, const std::string& content,
                            mode_t mode) {
    return content.empty() ? Result<void>{} : write_new(file, content, mode);
}

}  // namespace

Result<void> prepare_credentials(const std::filesystem::path& folder) {
    IOTSKY_CHECK(make_folder(folder));
    for (const char* name : {kCertificateFile, kKeyFile, kCaFile, kNextCaFile, kEndpointFile}) {
        if (std::filesystem::exists(folder / name)) {
            return make_error(Errc::already_exists, "E1164",
                              (folder / name).string() + " exists already.",
                              "A key or certificate is never overwritten; nothing was issued.",
                              "Give another folder with --out, or move the old files away.");
        }
    }
    return {};
}

Result<void> write_credentials(const std::filesystem::path& folder, const json::value& answer) {
    const json::value* certificate = answer.as_object().if_contains("certificate");
    // The key first: it exists nowhere else.
    IOTSKY_CHECK(write_if_given(folder / kKeyFile, text_at(answer, "private_key"), kSecret));
    if (certificate != nullptr) {
        IOTSKY_CHECK(
            write_if_given(folder / kCertificateFile, text_at(*certificate, "pem"), kPublic));
    }
    IOTSKY_CHECK(write_if_given(folder / kCaFile, element(answer, "ca", 0), kPublic));
    IOTSKY_CHECK(write_if_given(folder / kNextCaFile, element(answer, "ca", 1), kPublic));
    if (const json::value* endpoint = answer.as_object().if_contains("endpoint")) {
        IOTSKY_CHECK(write_new(folder / kEndpointFile, json::serialize(*endpoint) + "\n", kPublic));
    }
    return {};
}

}  // namespace iotsky::apps::cli
