#include "certs/csr.hpp"

#include <doctest/doctest.h>

#include "tests/unit/certs/csr_maker.hpp"

using iotsky::certs::KeyAlgorithm;
using iotsky::certs::parse_csr;
using iotsky::certs::test::CsrWish;
using iotsky::certs::test::make_csr;

namespace {

std::string refusal(std::string_view text) {
    const auto csr = parse_csr(text);
    if (csr) {
        return "accepted";
    }
    CHECK_FALSE(csr.error().why.empty());
    CHECK_FALSE(csr.error().how.empty());
    return csr.error().number;
}

}  // namespace

TEST_SUITE("certs.csr") {
    TEST_CASE("requests with P-256, P-384 and RSA 2048 to 4096 are read, PEM and DER") {
        for (const bool pem : {true, false}) {
            CAPTURE(pem);
            CHECK(parse_csr(make_csr({.pem = pem})).value().public_key.algorithm ==
                  KeyAlgorithm::p256);
            CHECK(parse_csr(make_csr({.key = "P-384", .pem = pem})).value().public_key.bits == 384);
            const auto rsa = parse_csr(make_csr({.key = "RSA", .pem = pem})).value();
            CHECK(rsa.public_key.algorithm == KeyAlgorithm::rsa);
            CHECK(rsa.public_key.bits == 2048);
            CHECK(rsa.common_name == "weather");
        }
    }

    TEST_CASE("each kind of wrong request has its own code") {
        struct Row {
            const char* what;
            CsrWish wish;
            const char* number;
        };
        const Row rows[] = {
            {"P-521", {.key = "P-521"}, "E5224"},
            {"Ed25519", {.key = "ED25519"}, "E5224"},
            {"explicit curve", {.key = "P-256 explicit"}, "E5224"},
            {"compressed point", {.key = "P-256 compressed"}, "E5224"},
            {"RSA with exponent 3", {.key = "RSA3"}, "E5224"},
            {"RSA 1024", {.key = "RSA", .rsa_bits = 1024}, "E5225"},
            {"RSA 2040", {.key = "RSA", .rsa_bits = 2040}, "E5225"},
            {"RSA 4104", {.key = "RSA", .rsa_bits = 4104}, "E5225"},
            {"another key's signature", {.wrong_signature = true}, "E5223"},
            {"no common name", {.common_names = 0}, "E5226"},
            {"two common names", {.common_names = 2}, "E5226"},
            {"empty common name", {.common_name = ""}, "E5226"},
            {"65 characters", {.common_name = std::string(65, 'x')}, "E5226"},
            {"NUL inside", {.common_name = std::string("a\0b", 3)}, "E5226"},
            {"line end inside", {.common_name = "a\nb"}, "E5226"},
            {"not UTF-8", {.common_name = "a\xff"}, "E5226"},
        };
        for (const Row& row : rows) {
            CAPTURE(row.what);
            CHECK(refusal(make_csr(row.wish)) == row.number);
        }
    }

    TEST_CASE("a common name of 64 characters, also long ones, is accepted") {
        std::string umlauts;
        for (int i = 0; i < 64; ++i) {
            umlauts += "\xc3\xbc";
        }
        CHECK(parse_csr(make_csr({.common_name = umlauts})).value().common_name == umlauts);
        CHECK(parse_csr(make_csr({.common_name = "say \"hi\""})).has_value());
    }

    TEST_CASE("bytes behind a request are refused, white space is not") {
        const std::string pem = make_csr({});
        const std::string der = make_csr({.pem = false});
        CHECK(refusal(pem + "x") == "E5222");
        CHECK(refusal(pem + pem) == "E5222");
        CHECK(refusal(der + std::string(1, '\0')) == "E5222");
        CHECK(parse_csr(pem + " \r\n\n").has_value());
    }

    TEST_CASE("a request that is cut off anywhere is refused") {
        const std::string pem = make_csr({});
        const std::string der = make_csr({.pem = false});
        for (std::size_t length = 0; length + 1 < pem.size(); ++length) {
            CAPTURE(length);
            CHECK(refusal(std::string_view{pem}.substr(0, length)) == "E5221");
        }
        for (std::size_t length = 0; length < der.size(); ++length) {
            CAPTURE(length);
            CHECK(refusal(std::string_view{der}.substr(0, length)) == "E5221");
        }
    }

    TEST_CASE("no flipped byte of a request goes unnoticed") {
        const std::string der = make_csr({.pem = false});
        for (std::size_t i = 0; i < der.size(); ++i) {
            std::string bent = der;
            bent[i] = static_cast<char>(bent[i] ^ 0x20);
            CAPTURE(i);
            CHECK_FALSE(parse_csr(bent).has_value());
        }
    }

    TEST_CASE("other things than requests are refused") {
        CHECK(refusal("") == "E5221");
        CHECK(refusal("hello") == "E5221");
        CHECK(refusal(std::string(iotsky::certs::kCsrBytesMax + 1, 'x')) == "E5220");
        CHECK(refusal(std::string(iotsky::certs::kCsrBytesMax, 'x')) == "E5221");
        CHECK(refusal("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") == "E5221");
    }
}
