// The samples of a bundle, looked at by the programs that a student would use. Needs a compiler, a
// shell and Python.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "api/bundle/files.hpp"
#include "tests/unit/api/bundle_support.hpp"

namespace iotsky::api {
namespace {

struct Outcome {
    int status = -1;
    std::string output;
};

Outcome run(const std::string& command) {
    Outcome outcome;
    FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> part{};
    while (std::fgets(part.data(), static_cast<int>(part.size()), pipe) != nullptr) {
        outcome.output += part.data();
    }
    outcome.status = ::pclose(pipe);
    return outcome;
}

/// A bundle unpacked into a folder of its own.
struct Unpacked {
    std::filesystem::path folder;

    Unpacked() {
        std::string name = (std::filesystem::temp_directory_path() / "bundle-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        folder = name;
        const auto files = bundle_files(bundle_input());
        REQUIRE(files.has_value());
        for (const BundleFile& file : *files) {
            std::filesystem::create_directories((folder / file.path).parent_path());
            std::ofstream{folder / file.path} << file.content.view();
        }
    }
    ~Unpacked() { std::filesystem::remove_all(folder); }

    [[nodiscard]] std::string at(const std::string& path) const { return (folder / path).string(); }
};

}  // namespace

TEST_SUITE("api.samples") {
    TEST_CASE_FIXTURE(Unpacked, "the shell scripts are well formed") {
        for (const char* script : {"common.sh", "pub.sh", "sub.sh", "check.sh"}) {
            CAPTURE(script);
            const Outcome outcome = run("sh -n " + at(std::string{"shell/"} + script));
            CHECK_MESSAGE(outcome.status == 0, outcome.output);
        }
    }

    TEST_CASE_FIXTURE(Unpacked, "the Python program is well formed") {
        const Outcome outcome = run("python3 -m py_compile " + at("python/weather.py"));
        CHECK_MESSAGE(outcome.status == 0, outcome.output);
    }

    TEST_CASE_FIXTURE(Unpacked, "the Arduino sketch compiles unedited and talks as it should") {
        const std::string main = at("main.cpp");
        std::ofstream{main} << "#include \"weather.ino\"\n"
                               "int main() { setup(); for (int i = 0; i < 20; i++) { loop(); "
                               "delay(1000); } }\n";
        const std::string program = at("sketch");
        const Outcome compiled =
            run(std::string{IOTSKY_CXX} + " -std=c++17 -Wall -Wextra -Werror -I" + IOTSKY_STUBS +
                " -I" + at("arduino-esp32/weather") + " -o " + program + " " + main);
        REQUIRE_MESSAGE(compiled.status == 0, compiled.output);
        const Outcome ran = run(program);
        CHECK(ran.status == 0);
        const auto says = [&](const char* text) {
            return ran.output.find(text) != std::string::npos;
        };
        CAPTURE(ran.output);
        CHECK(says("connecting to iotsky.local:8883"));
        CHECK(says("failed, rc=-2 stub: unknown host"));  // the name, then the address
        CHECK(says("CONNECT 10.20.0.5:8883 id=esp32-c3d4e5f6 will=$me/status:offline:1:1"));
        CHECK(says("[mqtt] connected as 7b/otter/weather"));
        CHECK(says("SUBSCRIBE $me/notice 0"));
        CHECK(says("PUBLISH $me/status online 1"));
        CHECK(says("PUBLISH $me/temp 2"));
        CHECK(says("[recv] $me/notice hi"));
    }
}

}  // namespace iotsky::api
