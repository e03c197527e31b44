#pragma once

#include "base/clock.hpp"
#include "base/random.hpp"
#include "certs/authority.hpp"
#include "tests/unit/certs/temp_folder.hpp"

namespace iotsky::certs::test {

inline const WallTime kNow = from_unix_s(1795416239);  // 2026-11-23

inline AuthorityOptions options_for(const std::filesystem::path& folder) {
    return {folder, {}, {{"iotsky.local"}, {"192.168.1.5", "fd00::5"}}, "school"};
}

/// A CA in a folder of its own.
struct CaFixture {
    TempFolder folder;
    SeededRandom random{11};
    OpenedAuthority opened;

    CaFixture() : opened(Authority::open(options_for(folder.path()), kNow, random).value()) {}
    [[nodiscard]] const Authority& ca() const { return *opened.authority; }

    [[nodiscard]] DeviceRequest request() {
        return {"7b/otter/weather", "iotsky:school:7b:otter:weather",
                kNow + std::chrono::hours{24 * 100}, new_serial(random)};
    }
};

}  // namespace iotsky::certs::test
