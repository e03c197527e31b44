#include <doctest/doctest.h>

#include <map>

#include "certs/authority.hpp"
#include "certs/files.hpp"
#include "tests/unit/certs/fixture.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using std::chrono::hours;
using test::kNow;
using test::mode_of;
using test::options_for;
using test::slurp;
using test::spill;
using test::TempFolder;

namespace fs = std::filesystem;

namespace {

struct Opener {
    SeededRandom random{31};
    TempFolder folder;
    AuthorityOptions options = options_for(folder.path() / "data");

    [[nodiscard]] Result<OpenedAuthority> open(WallTime now = kNow) {
        return Authority::open(options, now, random);
    }
    [[nodiscard]] fs::path file(const char* name) const { return options.data_folder / name; }
    void give_passphrase(std::string_view text) {
        options.passphrase.file = folder.path() / "pass";
        write_file(options.passphrase.file, text, FileKind::secret, IfExists::replace).value();
    }
    [[nodiscard]] std::map<std::string, std::string> contents() const {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(options.data_folder)) {
            if (entry.is_regular_file()) {
                all[entry.path().string()] = slurp(entry.path());
            }
        }
        return all;
    }
};

std::vector<std::string> numbers(const std::vector<Error>& warnings) {
    std::vector<std::string> out;
    for (const Error& warning : warnings) {
        out.push_back(warning.number);
    }
    return out;
}
using Numbers = std::vector<std::string>;

constexpr const char* kKeys[] = {"ca/server-ca.key", "ca/server-ca-next.key", "ca/device-root.key",
                                 "ca/device-ca.key", "ca/server.key",         "ca/web.key"};
constexpr const char* kCerts[] = {"ca/server-ca.crt", "ca/server-ca-next.crt", "ca/device-root.crt",
                                  "ca/device-ca.crt", "ca/server.crt",         "ca/web.crt"};

}  // namespace

TEST_SUITE("certs.set_up") {
    TEST_CASE_FIXTURE(Opener, "an empty folder gets every file with the right mode") {
        const auto opened = open().value();
        CHECK(opened.created);
        CHECK(numbers(opened.warnings) == Numbers{"W5212"});
        CHECK(mode_of(file("ca")) == 0700);
        for (const char* name : kKeys) {
            CAPTURE(name);
            CHECK(mode_of(file(name)) == 0600);
        }
        for (const char* name : kCerts) {
            CAPTURE(name);
            CHECK(mode_of(file(name)) == 0644);
        }
        CHECK(slurp(file("server-ca.crt")) == slurp(file("ca/server-ca.crt")));
        CHECK(slurp(file("server-ca-next.crt")) == slurp(file("ca/server-ca-next.crt")));
        CHECK_FALSE(fs::exists(file("ca.partial")));
    }

    TEST_CASE_FIXTURE(Opener, "a second start changes nothing") {
        const auto first = open().value();
        const auto before = contents();
        const auto second = open(kNow + hours{24}).value();
        CHECK_FALSE(second.created);
        CHECK(contents() == before);
        CHECK(second.servers.mqtt.certificate == first.servers.mqtt.certificate);
        CHECK(second.servers.mqtt.key_pem.view() == first.servers.mqtt.key_pem.view());
    }

    TEST_CASE_FIXTURE(Opener, "a set-up that was cut off is begun anew") {
        fs::create_directories(file("ca.partial"));
        spill(file("ca.partial/server-ca.key"), "half");
        CHECK(open().value().created);
        CHECK_FALSE(fs::exists(file("ca.partial")));
    }

    TEST_CASE_FIXTURE(Opener, "a start that was cut off before the client files finishes them") {
        CHECK(open().has_value());
        fs::remove(file("server-ca.crt"));
        fs::remove(file("server-ca-next.crt"));
        CHECK_FALSE(open().value().created);
        CHECK(slurp(file("server-ca.crt")) == slurp(file("ca/server-ca.crt")));
        CHECK(slurp(file("server-ca-next.crt")) == slurp(file("ca/server-ca-next.crt")));
    }

    TEST_CASE_FIXTURE(Opener, "an empty ca folder is filled") {
        fs::create_directories(file("ca"));
        CHECK(open().value().created);
        CHECK(mode_of(file("ca")) == 0700);
    }

    TEST_CASE_FIXTURE(Opener, "a lost ca folder is not silently replaced by a new CA") {
        CHECK(open().has_value());
        fs::remove_all(file("ca"));
        const auto refused = open();
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5219");
        CHECK_FALSE(fs::exists(file("ca")));
    }

    TEST_CASE_FIXTURE(Opener, "with a passphrase every key is encrypted and there is no warning") {
        give_passphrase("geheim\n");
        CHECK(open().value().warnings.empty());
        for (const char* name : kKeys) {
            CAPTURE(name);
            CHECK(slurp(file(name)).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        }
        CHECK_FALSE(open().value().created);
        give_passphrase("falsch\n");
        const auto wrong = open();
        REQUIRE_FALSE(wrong.has_value());
        CHECK(wrong.error().number == "E5206");
        options.passphrase = {};
        CHECK(open().error().number == "E5207");
    }

    TEST_CASE_FIXTURE(Opener, "keys made plain are encrypted once a passphrase is given") {
        const auto plain = open().value();
        give_passphrase("geheim");
        const auto sealed = open().value();
        CHECK(sealed.warnings.empty());
        for (const char* name : kKeys) {
            CAPTURE(name);
            CHECK(slurp(file(name)).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        }
        CHECK(sealed.servers.mqtt.key_pem.view() == plain.servers.mqtt.key_pem.view());
    }

    TEST_CASE_FIXTURE(Opener, "any file of the CA missing, empty, cut or open to others is named") {
        CHECK(open().has_value());
        for (const auto* list : {&kKeys, &kCerts}) {
            for (const char* name : *list) {
                const fs::path path = file(name);
                const std::string whole = slurp(path);
                const unsigned mode = mode_of(path);
                const auto refusal = [&] {
                    const auto result = open();
                    CAPTURE(name);
                    REQUIRE_FALSE(result.has_value());
                    CHECK(result.error().message.find(path.string()) != std::string::npos);
                    CHECK_FALSE(result.error().how.empty());
                    return result.error().number;
                };
                spill(path, "");
                CHECK(refusal() == "E5204");
                spill(path, whole.substr(0, whole.size() / 2));
                CHECK(refusal() == "E5204");
                spill(path, whole);
                ::chmod(path.c_str(), 0666);
                CHECK(refusal() == "E5203");
                ::chmod(path.c_str(), mode);
                const bool root_key = list == &kKeys && (path.stem() == "server-ca" ||
                                                         path.stem() == "server-ca-next" ||
                                                         path.stem() == "device-root");
                if (!root_key) {  // a root's key may be somewhere else on purpose
                    fs::rename(path, file("away"));
                    CHECK(refusal() == "E5205");
                    fs::rename(file("away"), path);
                }
            }
        }
        CHECK(open().has_value());
    }

    TEST_CASE_FIXTURE(Opener, "a folder that others may enter is refused") {
        CHECK(open().has_value());
        ::chmod(file("ca").c_str(), 0755);
        const auto refused = open();
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5203");
        CHECK(refused.error().how == "chmod 0700 " + file("ca").string());
    }

    TEST_CASE_FIXTURE(Opener, "files of two installations do not mix") {
        Opener other;
        CHECK(open().has_value());
        CHECK(other.open().has_value());
        for (const char* name : {"ca/server.crt", "ca/device-ca.crt", "ca/server.key",
                                 "ca/device-ca.key", "ca/device-root.key", "ca/server-ca.crt"}) {
            const std::string own = slurp(file(name));
            spill(file(name), slurp(other.file(name)));
            CAPTURE(name);
            CHECK(open().error().number == "E5210");
            spill(file(name), own);
        }
        CHECK(open().has_value());
    }

    TEST_CASE_FIXTURE(Opener,
                      "a new address at start re-issues the server certificates and tells") {
        const auto before = open().value();
        options.names.addresses = {"10.20.0.9"};
        const auto after = open().value();
        CHECK(numbers(after.warnings) == Numbers{"W5212", "W1105"});
        CHECK(after.warnings[1].message.starts_with("10.20.0.9 was not in"));
        CHECK(after.servers.mqtt.covers(options.names));
        CHECK(after.servers.web.covers(options.names));
        CHECK(after.servers.mqtt.certificate.public_key() ==
              before.servers.mqtt.certificate.public_key());
        CHECK(numbers(open().value().warnings) == Numbers{"W5212"});
    }

    TEST_CASE_FIXTURE(Opener, "more addresses than fit do not re-issue at every start") {
        options.names.addresses.clear();
        for (int i = 0; i < 50; ++i) {
            options.names.addresses.push_back("10.1.0." + std::to_string(i));
        }
        const auto first = open().value();
        CHECK(open().value().servers.mqtt.certificate == first.servers.mqtt.certificate);
    }

    TEST_CASE_FIXTURE(Opener, "the web certificate is renewed at a start when it is due") {
        const auto before = open().value();
        const WallTime later = kNow + hours{24 * 300};
        const auto after = open(later).value();
        CHECK(after.servers.web.certificate != before.servers.web.certificate);
        CHECK(after.servers.web.certificate.public_key() ==
              before.servers.web.certificate.public_key());
        CHECK_FALSE(after.servers.web.due(later));
        CHECK(after.servers.mqtt.certificate == before.servers.mqtt.certificate);
    }

    TEST_CASE_FIXTURE(Opener,
                      "without the server CA's key the broker starts and says what it cannot") {
        CHECK(open().value().authority->delete_root_key(CaRole::server).has_value());
        options.names.addresses = {"10.20.0.9"};
        const auto opened = open().value();
        CHECK(numbers(opened.warnings) == Numbers{"W5212", "W5201", "W5201"});
        CHECK(opened.warnings[1].why.find("server-ca is not on this machine") != std::string::npos);
        CHECK_FALSE(opened.servers.mqtt.covers(options.names));
    }

    TEST_CASE_FIXTURE(Opener,
                      "a foreign server-ca.crt in the data folder is told, not overwritten") {
        CHECK(open().has_value());
        spill(file("server-ca.crt"), "something else\n");
        const auto opened = open().value();
        CHECK(numbers(opened.warnings) == Numbers{"W5212", "W5209"});
        CHECK(slurp(file("server-ca.crt")) == "something else\n");
    }

    TEST_CASE_FIXTURE(Opener,
                      "a tool that gives no names keeps the certificates, but makes no CA") {
        options.names = {};
        CHECK(open().error().number == "E5216");
        options.names = options_for({}).names;
        const auto before = open().value();
        options.names = {};
        const auto after = open(kNow + hours{24 * 300}).value();
        CHECK(after.servers.web.certificate == before.servers.web.certificate);
        CHECK(after.servers.mqtt.certificate == before.servers.mqtt.certificate);
    }

    TEST_CASE_FIXTURE(Opener, "wrong names make no half CA") {
        options.names = {{"not a name"}, {}};
        CHECK(open().error().number == "E5216");
        CHECK_FALSE(fs::exists(file("ca")));
        options = options_for(folder.path() / "data");
        options.site = "a/b";
        CHECK(open().error().number == "E5215");
        options.site = "school";
        CHECK(open().value().created);
    }
}
