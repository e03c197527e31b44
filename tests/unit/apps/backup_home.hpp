#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "apps/backup/create.hpp"
#include "apps/backup/restore.hpp"
#include "apps/serve/installation.hpp"
#include "storage/messages_db.hpp"
#include "tests/support/temporary_folder.hpp"

namespace iotsky::apps::test {

namespace fs = std::filesystem;

inline constexpr std::string_view kSecret = "correct horse";

inline std::string slurp(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline void spill(const fs::path& path, std::string_view text) {
    std::ofstream{path, std::ios::binary} << text;
}

/// A data folder with CA, registry, one class, messages and a configuration, at rest.
struct Home {
    TemporaryFolder folder;
    SystemClock clock;
    SystemRandom random;
    Config config;

    explicit Home(const std::string& class_name = "7b") {
        config.server.data_dir = data();
        config.server.addresses = {"10.0.0.5"};
        auto opened = Installation::open(config, clock, random);
        REQUIRE_MESSAGE(opened.has_value(), opened.error());
        REQUIRE((*opened)->registry->start().has_value());
        provisioning::ClassRequest request;
        request.name = class_name;
        REQUIRE((*opened)
                    ->registry->classes.create(provisioning::Caller::system(), request)
                    .has_value());
        REQUIRE((*opened)->make_first_token().has_value());
        REQUIRE(storage::MessagesDb::open({data() / "messages.db", 0}).has_value());
        spill(data() / "iotsky.toml", "[server]\naddresses = [\"10.0.0.5\"]\n");
    }
    [[nodiscard]] fs::path data() const { return folder.path() / "data"; }
    [[nodiscard]] fs::path file() const { return folder.path() / "iotsky.backup"; }

    Result<backup::Description> back_up(std::string_view passphrase = kSecret) {
        return back_up(passphrase, data() / "iotsky.toml");
    }
    Result<backup::Description> back_up(std::string_view passphrase, const fs::path& config_file) {
        auto sources =
            backup::sources_at_rest(data(), backup::config_files(config_file, config.listeners));
        REQUIRE_MESSAGE(sources.has_value(), sources.error());
        return backup::create_backup(
            std::move(*sources),
            {file(), backup::Kind::made, passphrase, "0.1.0", clock.wall_now()}, random,
            [] { return true; });
    }
    Result<backup::Restored> restore(const fs::path& into, bool as_new_host = false,
                                     std::string_view passphrase = kSecret) {
        fs::create_directories(into);
        auto staged =
            backup::stage(into, {file(), passphrase, {}, as_new_host}, clock.wall_now(), random);
        if (!staged) {
            return std::move(staged).error();
        }
        return backup::put_in_place(into, std::move(*staged), clock.wall_now());
    }
    /// Names of the classes in a data folder.
    std::vector<std::string> classes_in(const fs::path& into) {
        Config there = config;
        there.server.data_dir = into;
        auto opened = Installation::open(there, clock, random);
        REQUIRE_MESSAGE(opened.has_value(), opened.error());
        REQUIRE((*opened)->registry->start().has_value());
        const auto all =
            (*opened)->registry->classes.list(provisioning::Caller::system(), {"", 10}).value();
        std::vector<std::string> names;
        for (const auto& row : all.items) {
            names.push_back(row.name);
        }
        return names;
    }
};

inline std::vector<std::string> entries(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator{folder}) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace iotsky::apps::test
