#include <archive.h>
#include <archive_entry.h>
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "api/bundle/files.hpp"
#include "api/bundle/zip.hpp"
#include "tests/unit/api/bundle_support.hpp"

namespace iotsky::api {
namespace {

struct Entry {
    std::string content;
    unsigned mode = 0;
    std::int64_t mtime = 0;
};

/// Path -> entry, as another program reads the archive.
std::map<std::string, Entry> read_zip(const std::string& bytes) {
    std::map<std::string, Entry> out;
    archive* zip = archive_read_new();
    archive_read_support_format_zip(zip);
    REQUIRE(archive_read_open_memory(zip, bytes.data(), bytes.size()) == ARCHIVE_OK);
    archive_entry* entry = nullptr;
    while (archive_read_next_header(zip, &entry) == ARCHIVE_OK) {
        Entry one;
        one.mode = archive_entry_perm(entry);
        one.mtime = archive_entry_mtime(entry);
        one.content.resize(static_cast<std::size_t>(archive_entry_size(entry)));
        CHECK(archive_read_data(zip, one.content.data(), one.content.size()) ==
              static_cast<la_ssize_t>(one.content.size()));
        out[archive_entry_pathname(entry)] = std::move(one);
    }
    archive_read_free(zip);
    return out;
}

std::map<std::string, std::string> files_of(const BundleInput& input) {
    std::map<std::string, std::string> out;
    const auto files = bundle_files(input);
    REQUIRE(files.has_value());
    for (const BundleFile& file : *files) {
        out[file.path] = file.content.view();
    }
    return out;
}

}  // namespace

TEST_SUITE("api.bundle") {
    TEST_CASE("a bundle holds certificates as PEM and DER, a page, and samples") {
        const auto files = files_of(bundle_input());
        for (const char* path :
             {"README.html", "certs/device.crt", "certs/device.crt.der", "certs/device.key",
              "certs/device.key.der", "certs/ca.crt", "certs/ca.crt.der", "certs/ca-next.crt",
              "certs/ca-next.crt.der", "certs/ca-bundle.crt", "arduino-esp32/weather/weather.ino",
              "arduino-esp32/weather/secrets.h", "python/weather.py", "shell/pub.sh",
              "shell/sub.sh", "shell/check.sh", "shell/common.sh"}) {
            CAPTURE(path);
            CHECK(files.contains(path));
        }
        CHECK(files.size() == 17);
        CHECK(files.at("certs/device.crt.der") == "hello");
        CHECK(files.at("certs/device.key.der") == "secret");
        CHECK(files.at("certs/ca-bundle.crt") == std::string{kPem} + std::string{kPem});
    }

    TEST_CASE("every name in the templates is filled in") {
        for (const auto& [path, content] : files_of(bundle_input())) {
            CAPTURE(path);
            CHECK(content.find("{{") == std::string::npos);
        }
    }

    TEST_CASE("samples know this broker by name and by address") {
        const auto files = files_of(bundle_input());
        for (const char* path : {"README.html", "arduino-esp32/weather/secrets.h",
                                 "python/weather.py", "shell/common.sh"}) {
            CAPTURE(path);
            CHECK(files.at(path).find("iotsky.local") != std::string::npos);
            CHECK(files.at(path).find("10.20.0.5") != std::string::npos);
            CHECK(files.at(path).find("8883") != std::string::npos);
        }
    }

    TEST_CASE("the Wi-Fi name is escaped where it goes, and nothing runs from it") {
        BundleInput input = bundle_input();
        const std::string header = files_of(input).at("arduino-esp32/weather/secrets.h");
        CHECK(header.find(R"(#define WIFI_SSID "school \"guest\" \077\077/ \\ net")") !=
              std::string::npos);
        input.wifi_ssid = "a\nb";
        CHECK(files_of(input).at("arduino-esp32/weather/secrets.h").find(R"("a\012b")") !=
              std::string::npos);
    }

    TEST_CASE("the page escapes what it shows") {
        BundleInput input = bundle_input();
        input.endpoint.host = "<img onerror=x>";
        const std::string page = files_of(input).at("README.html");
        CHECK(page.find("<img") == std::string::npos);
        CHECK(page.find("&lt;img") != std::string::npos);
    }

    TEST_CASE("a classless thing is told to use $me") {
        BundleInput input = bundle_input();
        input.path = input.name = "robot";
        CHECK(files_of(input).at("README.html").find("<code>$me/temp</code>") != std::string::npos);
    }

    TEST_CASE("a PEM that does not read is an error, not an empty file") {
        BundleInput input = bundle_input();
        input.certificate_pem = "nonsense";
        const auto files = bundle_files(input);
        REQUIRE(!files);
        CHECK(files.error().number == "E4125");
    }

    TEST_CASE("the archive can be read back: names, contents, modes, times") {
        ZipWriter zip{from_unix_s(1'700'000'000)};
        const auto files = bundle_files(bundle_input());
        REQUIRE(files.has_value());
        REQUIRE(zip.add("", *files).has_value());
        REQUIRE(zip.add("otter/weather/", *files).has_value());
        auto bytes = zip.finish();
        REQUIRE(bytes.has_value());
        const auto entries = read_zip(*bytes);
        CHECK(entries.size() == 2 * files->size());
        CHECK(entries.at("certs/device.key").content == bundle_input().private_key_pem.view());
        CHECK(entries.at("otter/weather/certs/device.crt").content == kPem);
        CHECK((entries.at("certs/device.key").mode & 0777U) == 0600);
        CHECK((entries.at("shell/pub.sh").mode & 0777U) == 0700);
        CHECK(entries.at("README.html").mtime == 1'700'000'000);
    }

    TEST_CASE("an archive without files is one") {
        ZipWriter zip{from_unix_s(0)};
        const auto bytes = zip.finish();
        REQUIRE(bytes.has_value());
        CHECK(read_zip(*bytes).empty());
    }
}

}  // namespace iotsky::api
