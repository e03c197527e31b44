#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "apps/cli/program.hpp"

namespace iotsky::apps::test {

/// A folder that goes away with the test.
class TemporaryFolder {
  public:
    TemporaryFolder() {
        std::string name = (std::filesystem::temp_directory_path() / "iotsky-apps-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~TemporaryFolder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream{path_ / name, std::ios::binary} << text;
        return path_ / name;
    }
    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream in{path_ / name, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

  private:
    std::filesystem::path path_;
};

struct Ran {
    int code = 0;
    std::string out;
    std::string err;
};

/// Runs the program with these arguments.
struct Runner {
    std::map<std::string, std::string> variables;
    std::string input;
    bool terminal = false;

    Ran operator()(std::vector<std::string> arguments) const {
        std::istringstream in{input};
        std::ostringstream out;
        std::ostringstream err;
        cli::Session session{{in, out, err, terminal, false, false}, [this](const char* name) {
                                 const auto at = variables.find(name);
                                 return at == variables.end() ? nullptr : at->second.c_str();
                             }};
        const int code = cli::run_program(arguments, session);
        return {code, out.str(), err.str()};
    }
};

}  // namespace iotsky::apps::test
