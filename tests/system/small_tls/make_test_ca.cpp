// make_test_ca DIR NAME ADDRESS...: sets a CA up in DIR and issues two device identities there,
// p256.crt/.key and rsa.crt/.key, as the broker does; prints nothing unless something is wrong.
#include <cstdio>
#include <string>

#include "base/random.hpp"
#include "certs/authority.hpp"
#include "certs/files.hpp"

using namespace iotsky;         // NOLINT: a program of one file
using namespace iotsky::certs;

namespace {

Result<void> issue(const Authority& authority, const std::filesystem::path& folder,
                   std::string_view name, KeyType type, Random& random) {
    const WallTime now = SystemClock{}.wall_now();
    const DeviceRequest request{std::string{name}, "iotsky:test:7b:otter:" + std::string{name},
                                now + std::chrono::hours{24}, new_serial(random)};
    IOTSKY_TRY(device, authority.issue_device_with_key(request, type, now));
    IOTSKY_CHECK(write_file(folder / (std::string{name} + ".crt"), device.certificate.pem(),
                            FileKind::public_text));
    return write_file(folder / (std::string{name} + ".key"), device.key.pem().view(),
                      FileKind::secret);
}

Result<void> make(const std::filesystem::path& folder, ServerNames names) {
    SystemRandom random;
    const AuthorityOptions options{folder, {}, std::move(names), "test"};
    IOTSKY_TRY(opened, Authority::open(options, SystemClock{}.wall_now(), random));
    IOTSKY_CHECK(issue(*opened.authority, folder, "p256", KeyType::p256, random));
    return issue(*opened.authority, folder, "rsa", KeyType::rsa2048, random);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: make_test_ca DIR NAME ADDRESS...\n");
        return 2;
    }
    ServerNames names{{argv[2]}, {}};
    for (int i = 3; i < argc; ++i) {
        names.addresses.emplace_back(argv[i]);
    }
    const auto made = make(argv[1], std::move(names));
    if (!made) {
        std::fprintf(stderr, "%s\n", format(made.error()).c_str());
        return 1;
    }
    return 0;
}
