#include "certs/key_store.hpp"

#include <doctest/doctest.h>

#include "certs/passphrase.hpp"
#include "tests/unit/certs/foreign_certificate.hpp"
#include "tests/unit/certs/temp_folder.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using test::mode_of;
using test::slurp;
using test::spill;
using test::TempFolder;

TEST_SUITE("certs.key_store") {
    TEST_CASE("keys are private, certificates readable, and neither is overwritten unasked") {
        const TempFolder folder;
        const KeyStore store{folder.path(), std::nullopt};
        const PrivateKey key = PrivateKey::generate(KeyType::p256).value();
        const Certificate cert = Certificate::parse(test::kForeignPem).value();
        REQUIRE(store.save_key("a", key).has_value());
        REQUIRE(store.save_certificate("a", cert).has_value());
        CHECK(mode_of(folder.path() / "a.key") == 0600);
        CHECK(mode_of(folder.path() / "a.crt") == 0644);
        CHECK(store.load_key("a").value().key.public_key() == key.public_key());
        CHECK_FALSE(store.load_key("a").value().encrypted_on_disk);
        CHECK(store.load_certificate("a").value() == cert);

        const PrivateKey other = PrivateKey::generate(KeyType::p256).value();
        const auto refused = store.save_key("a", other);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5209");
        CHECK(store.load_key("a").value().key.public_key() == key.public_key());
        CHECK(store.save_key("a", other, IfExists::replace).has_value());
        CHECK(store.load_key("a").value().key.public_key() == other.public_key());
        CHECK(std::distance(std::filesystem::directory_iterator{folder.path()}, {}) == 2);
    }

    TEST_CASE("with a passphrase no plain key reaches the disk") {
        const TempFolder folder;
        const KeyStore store{folder.path(), SecretString{"pass"}};
        const PrivateKey key = PrivateKey::generate(KeyType::p256).value();
        REQUIRE(store.save_key("a", key).has_value());
        CHECK(slurp(folder.path() / "a.key").starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
        CHECK(store.load_key("a").value().encrypted_on_disk);

        const auto wrong = KeyStore{folder.path(), SecretString{"word"}}.load_key("a");
        REQUIRE_FALSE(wrong.has_value());
        CHECK(wrong.error().number == "E5206");
        CHECK(wrong.error().message == (folder.path() / "a.key").string() +
                                           ": The passphrase does not open the private key.");
        CHECK(KeyStore(folder.path(), std::nullopt).load_key("a").error().number == "E5207");
    }

    TEST_CASE("a file that others may read is refused with its mode and the remedy") {
        const TempFolder folder;
        const KeyStore store{folder.path(), std::nullopt};
        REQUIRE(store.save_key("a", PrivateKey::generate(KeyType::p256).value()).has_value());
        const auto path = folder.path() / "a.key";
        for (const unsigned mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0777U}) {
            ::chmod(path.c_str(), mode);
            const auto refused = store.load_key("a");
            CAPTURE(mode);
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().number == "E5203");
            CHECK(refused.error().message.starts_with(path.string() + " has mode 0"));
            CHECK(refused.error().how == "chmod 0600 " + path.string());
        }
        ::chmod(path.c_str(), 0400);
        CHECK(store.load_key("a").has_value());
    }

    TEST_CASE("a certificate that others may write is refused") {
        const TempFolder folder;
        const KeyStore store{folder.path(), std::nullopt};
        REQUIRE(store.save_certificate("a", Certificate::parse(test::kForeignPem).value()));
        ::chmod((folder.path() / "a.crt").c_str(), 0664);
        CHECK(store.load_certificate("a").error().number == "E5203");
    }

    TEST_CASE("a key or certificate that is half-written at any length is refused by name") {
        const TempFolder folder;
        const KeyStore store{folder.path(), SecretString{"pass"}};
        REQUIRE(store.save_certificate("a", Certificate::parse(test::kForeignPem).value()));
        // Not encrypted, so that 700 lengths do not cost 700 times scrypt; the PEM layer is one.
        const KeyStore plain{folder.path(), std::nullopt};
        REQUIRE(plain.save_key("a", PrivateKey::generate(KeyType::p256).value()).has_value());
        REQUIRE(store.save_key("b", PrivateKey::generate(KeyType::p256).value()).has_value());
        for (const char* name : {"a.key", "b.key", "a.crt"}) {
            const auto path = folder.path() / name;
            const std::string whole = slurp(path);
            for (std::size_t length = 0; length < whole.size(); ++length) {
                spill(path, whole.substr(0, length));
                const std::string stem = path.stem().string();
                const auto error = path.extension() == ".key"
                                       ? store.load_key(stem).error()
                                       : store.load_certificate(stem).error();
                CAPTURE(name);
                CAPTURE(length);
                REQUIRE(error.number == "E5204");
                REQUIRE(error.message == path.string() + " is damaged.");
            }
            spill(path, whole);
        }
        CHECK(store.load_key("b").has_value());
    }

    TEST_CASE("missing files, folders and giants in place of a key are refused") {
        const TempFolder folder;
        const KeyStore store{folder.path(), std::nullopt};
        CHECK(store.load_key("a").error().number == "E5205");
        CHECK_FALSE(store.has_key("a"));
        std::filesystem::create_directory(folder.path() / "a.key");
        CHECK(store.load_key("a").error().number == "E5204");
        write_file(folder.path() / "b.key", std::string(100'000, 'x'), FileKind::secret).value();
        CHECK(store.load_key("b").error().number == "E5204");
    }

    TEST_CASE("a temporary file of a killed process does not stand in the way") {
        const TempFolder folder;
        const KeyStore store{folder.path(), std::nullopt};
        spill(folder.path() / ".a.key.tmp", "half");
        REQUIRE(store.save_key("a", PrivateKey::generate(KeyType::p256).value()).has_value());
        CHECK(store.load_key("a").has_value());
        CHECK_FALSE(std::filesystem::exists(folder.path() / ".a.key.tmp"));
    }

    TEST_CASE("a key that cannot be written is told, and nothing is left") {
        const KeyStore store{"/proc/no-such-folder", std::nullopt};
        const auto refused = store.save_key("a", PrivateKey::generate(KeyType::p256).value());
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().number == "E5211");
        CHECK_FALSE(refused.error().how.empty());
    }

    TEST_CASE("deleting a key removes the file; a second time it is missing") {
        const TempFolder folder;
        const KeyStore store{folder.path(), std::nullopt};
        REQUIRE(store.save_key("a", PrivateKey::generate(KeyType::p256).value()).has_value());
        CHECK(store.delete_key("a").has_value());
        CHECK_FALSE(store.has_key("a"));
        CHECK(store.delete_key("a").error().number == "E5205");
    }
}

TEST_SUITE("certs.passphrase") {
    TEST_CASE("the option's file goes before the credential, and no source is no passphrase") {
        const TempFolder folder;
        CHECK_FALSE(read_passphrase({}).value().has_value());
        CHECK_FALSE(read_passphrase({{}, folder.path()}).value().has_value());
        spill(folder.path() / "iotsky-ca-passphrase", "credential\n");
        CHECK(read_passphrase({{}, folder.path()}).value()->view() == "credential");
        const auto file = folder.path() / "pass";
        write_file(file, "option\r\nsecond line\n", FileKind::secret).value();
        CHECK(read_passphrase({file, folder.path()}).value()->view() == "option");
    }

    TEST_CASE("a source that is named but unusable stops, rather than leaving keys plain") {
        const TempFolder folder;
        const auto file = folder.path() / "pass";
        CHECK(read_passphrase({file, {}}).error().number == "E5208");
        for (const std::string& content : {std::string{""}, std::string{"\nx"},
                                           std::string(1025, 'x'), std::string(5000, 'x')}) {
            write_file(file, content, FileKind::secret, IfExists::replace).value();
            CHECK(read_passphrase({file, {}}).error().number == "E5208");
        }
        write_file(file, "good\n", FileKind::secret, IfExists::replace).value();
        ::chmod(file.c_str(), 0644);
        CHECK(read_passphrase({file, {}}).error().number == "E5203");
    }
}
