#include "certs/sealed_file.hpp"

#include <doctest/doctest.h>

#include "base/bytes.hpp"
#include "tests/unit/certs/temp_folder.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using test::slurp;
using test::spill;
using test::TempFolder;

namespace {

constexpr std::string_view kHeader = R"({"for":"people"})";
constexpr std::string_view kSecret = "correct horse";

std::string text_of(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) {
        text[i] = static_cast<char>(i * 31 + i / 65'536);
    }
    return text;
}

void seal(const std::filesystem::path& path, const std::string& text,
          std::string_view passphrase = {}) {
    SystemRandom random;
    auto writer = SealedWriter::create(path, kHeader, passphrase, random);
    REQUIRE_MESSAGE(writer.has_value(), writer.error());
    // In parts that never end with a chunk.
    for (std::size_t at = 0; at < text.size(); at += 10'007) {
        REQUIRE((*writer)->write(as_bytes(std::string_view{text}.substr(at, 10'007))).has_value());
    }
    REQUIRE((*writer)->finish().has_value());
}

/// The text, or the number of the error.
std::string unseal(const std::filesystem::path& path, std::string_view passphrase = {}) {
    auto reader = SealedReader::open(path);
    if (!reader) {
        return reader.error().number;
    }
    REQUIRE((*reader)->unlock(passphrase).has_value());
    std::string text;
    for (;;) {
        auto part = (*reader)->read();
        if (!part) {
            return part.error().number;
        }
        if (part->empty()) {
            return text;
        }
        text += as_text(*part);
    }
}

}  // namespace

TEST_SUITE("certs.sealed_file") {
    TEST_CASE("what was sealed comes back, whatever its length") {
        const TempFolder folder;
        for (const std::size_t bytes :
             {std::size_t{0}, std::size_t{1}, kSealedChunkBytes - 1, kSealedChunkBytes,
              kSealedChunkBytes + 1, 3 * kSealedChunkBytes}) {
            CAPTURE(bytes);
            const auto path = folder.path() / std::to_string(bytes);
            seal(path, text_of(bytes));
            CHECK((unseal(path) == text_of(bytes)));
            CHECK(test::mode_of(path) == 0600);
            CHECK(SealedReader::open(path).value()->header() == kHeader);
        }
    }

    TEST_CASE("with a passphrase nothing of it can be read, and another one does not open it") {
        const TempFolder folder;
        const auto path = folder.path() / "sealed";
        const std::string text(100'000, 'A');
        seal(path, text, kSecret);
        CHECK(slurp(path).find("AAAA") == std::string::npos);
        CHECK((unseal(path, kSecret) == text));
        CHECK(unseal(path, "correct horsf") == "E5104");
        CHECK(unseal(path) == "E5104");
        seal(folder.path() / "again", text, kSecret);
        CHECK(slurp(folder.path() / "again") != slurp(path));
    }

    TEST_CASE("a change of any byte is noticed, with a passphrase and without one") {
        const TempFolder folder;
        const auto path = folder.path() / "sealed";
        for (const std::string_view passphrase : {kSecret, std::string_view{}}) {
            seal(path, text_of(200), passphrase);
            const std::string whole = slurp(path);
            // Each key costs 150 ms: every byte of the front, samples behind it.
            for (std::size_t at = 0; at < whole.size(); at += passphrase.empty() ? 1U : 17U) {
                CAPTURE(at);
                std::string changed = whole;
                changed[at] = static_cast<char>(changed[at] ^ 0x40);
                spill(path, changed);
                const std::string answer = unseal(path, passphrase);
                CHECK((answer == "E5104" || answer == "E5105"));
            }
            std::filesystem::remove(path);
        }
    }

    TEST_CASE("a file that ends too early, at any place, is not taken for whole") {
        const TempFolder folder;
        const auto path = folder.path() / "sealed";
        seal(path, text_of(3 * kSealedChunkBytes - 10));
        const std::string whole = slurp(path);
        std::vector<std::size_t> lengths{0, 1, 15, 16, 30, 60, whole.size() - 1, whole.size() / 2};
        // Where chunks end: there it would be whole but for the mark of the last one.
        const std::size_t front = 16 + 4 + kHeader.size() + 16;
        for (std::size_t chunks = 0; chunks < 3; ++chunks) {
            lengths.push_back(front + chunks * (4 + kSealedChunkBytes + 16));
        }
        for (const std::size_t length : lengths) {
            CAPTURE(length);
            spill(path, std::string_view{whole}.substr(0, length));
            const std::string answer = unseal(path);
            CHECK((answer == "E5104" || answer == "E5105"));
        }
        spill(path, whole + "x");
        CHECK(unseal(path) == "E5104");
    }

    TEST_CASE("chunks cannot change places") {
        const TempFolder folder;
        const auto path = folder.path() / "sealed";
        seal(path, text_of(3 * kSealedChunkBytes));
        std::string whole = slurp(path);
        const std::size_t front = 16 + 4 + kHeader.size() + 16;
        const std::size_t frame = 4 + kSealedChunkBytes + 16;
        const std::string first = whole.substr(front, frame);
        whole.replace(front, frame, whole.substr(front + frame, frame));
        whole.replace(front + frame, frame, first);
        spill(path, whole);
        CHECK(unseal(path) == "E5104");
    }

    TEST_CASE("one that is not finished leaves no file, and one that is there is not overwritten") {
        const TempFolder folder;
        const auto path = folder.path() / "sealed";
        SystemRandom random;
        {
            auto writer = SealedWriter::create(path, kHeader, {}, random);
            REQUIRE(writer.has_value());
            REQUIRE((*writer)->write(as_bytes("abc")).has_value());
        }
        CHECK_FALSE(std::filesystem::exists(path));
        spill(path, "mine");
        CHECK(SealedWriter::create(path, kHeader, {}, random).error().number == "E5109");
        CHECK(slurp(path) == "mine");
        CHECK(unseal(path) == "E5105");
        CHECK(unseal(folder.path() / "missing") == "E5109");
        CHECK(unseal(folder.path()) == "E5105");
    }
}
