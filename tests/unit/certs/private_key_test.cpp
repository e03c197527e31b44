#include "certs/private_key.hpp"

#include <doctest/doctest.h>

#include <string>

using iotsky::certs::KeyAlgorithm;
using iotsky::certs::KeyType;
using iotsky::certs::PrivateKey;

TEST_SUITE("certs.private_key") {
    TEST_CASE("a key survives the way through PKCS#8, plain and encrypted") {
        for (const KeyType type : {KeyType::p256, KeyType::rsa2048}) {
            const PrivateKey key = PrivateKey::generate(type).value();
            CAPTURE(to_string(type));
            CHECK(key.pem().view().starts_with("-----BEGIN PRIVATE KEY-----\n"));
            CHECK(PrivateKey::from_pem(key.pem().view()).value().public_key() == key.public_key());
            const auto sealed = key.encrypted_pem("correct horse").value();
            CHECK(sealed.view().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
            CHECK(PrivateKey::from_pem(sealed.view(), "correct horse").value().public_key() ==
                  key.public_key());
        }
    }

    TEST_CASE("keys are what was asked for and never the same") {
        const PrivateKey a = PrivateKey::generate(KeyType::p256).value();
        const PrivateKey b = PrivateKey::generate(KeyType::p256).value();
        CHECK(a.public_key().algorithm == KeyAlgorithm::p256);
        CHECK(a.public_key().bits == 256);
        CHECK(a.public_key().fingerprint() != b.public_key().fingerprint());
        const PrivateKey rsa = PrivateKey::generate(KeyType::rsa2048).value();
        CHECK(rsa.public_key().algorithm == KeyAlgorithm::rsa);
        CHECK(rsa.public_key().bits == 2048);
        CHECK(a.der().size() == 138);  // PKCS#8 of P-256 with its public half
    }

    TEST_CASE("a wrong passphrase, none and an empty one are told apart") {
        const PrivateKey key = PrivateKey::generate(KeyType::p256).value();
        const auto sealed = key.encrypted_pem("right").value();
        const auto wrong = PrivateKey::from_pem(sealed.view(), "wrong");
        REQUIRE_FALSE(wrong.has_value());
        CHECK(wrong.error().number == "E5206");
        CHECK(wrong.error().message == "The passphrase does not open the private key.");
        CHECK(PrivateKey::from_pem(sealed.view()).error().number == "E5207");
        CHECK(key.encrypted_pem("").error().number == "E5208");
    }

    TEST_CASE("the same key is encrypted differently each time") {
        const PrivateKey key = PrivateKey::generate(KeyType::p256).value();
        CHECK(key.encrypted_pem("p").value().view() != key.encrypted_pem("p").value().view());
    }

    TEST_CASE("a key that is cut off anywhere is refused") {
        const PrivateKey key = PrivateKey::generate(KeyType::p256).value();
        const auto pem = key.pem();
        // The line end behind the last dash is not part of the PEM block.
        for (std::size_t length = 0; length + 1 < pem.size(); ++length) {
            const auto cut = PrivateKey::from_pem(pem.view().substr(0, length));
            CAPTURE(length);
            REQUIRE_FALSE(cut.has_value());
            CHECK(cut.error().number == "E5231");
        }
    }

    TEST_CASE("a changed character never gives another key: refused, or without effect") {
        const PrivateKey key = PrivateKey::generate(KeyType::p256).value();
        const std::string pem{key.pem().view()};
        int refused = 0;
        for (std::size_t i = 0; i < pem.size(); ++i) {
            std::string bent = pem;
            bent[i] = bent[i] == 'A' ? 'B' : 'A';
            const auto read = PrivateKey::from_pem(bent);
            CAPTURE(i);
            CHECK((!read || read->public_key() == key.public_key()));
            refused += read ? 0 : 1;
        }
        CHECK(refused + 10 > static_cast<int>(pem.size()));
    }

    TEST_CASE("what is not one private key is refused with a remedy") {
        const PrivateKey key = PrivateKey::generate(KeyType::p256).value();
        const std::string pem{key.pem().view()};
        const std::string old_form =
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
            "DEK-Info: DES-EDE3-CBC,0011223344556677\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        for (const std::string& text :
             {std::string{"hello"}, pem + pem, pem + "x", "x" + pem, old_form,
              std::string{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}}) {
            const auto read = PrivateKey::from_pem(text);
            CAPTURE(text);
            REQUIRE_FALSE(read.has_value());
            CHECK(read.error().number == "E5231");
            CHECK_FALSE(read.error().why.empty());
            CHECK_FALSE(read.error().how.empty());
        }
        CHECK(PrivateKey::from_pem("\n " + pem + "\r\n \t").has_value());
    }

    TEST_CASE("key types have the names of the API") {
        CHECK(iotsky::certs::parse_key_type("p256").value() == KeyType::p256);
        CHECK(iotsky::certs::parse_key_type("rsa2048").value() == KeyType::rsa2048);
        CHECK(iotsky::certs::parse_key_type("RSA").error().number == "E5231");
    }
}
