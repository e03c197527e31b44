#include "certs/ticket_keys.hpp"

#include <doctest/doctest.h>

#include "tests/unit/certs/fixture.hpp"

using namespace iotsky;
using namespace iotsky::certs;
using std::chrono::hours;
using test::kNow;
using test::TempFolder;

namespace {
std::span<const std::uint8_t> name_of(const TicketKey& key) {
    return std::span{key.bytes}.first(TicketKey::kNameBytes);
}
}  // namespace

TEST_SUITE("certs.ticket_keys") {
    TEST_CASE("after a day the current key becomes the previous one and still opens tickets") {
        SeededRandom random(5);
        const TicketKeys first = TicketKeys::make(kNow, random);
        CHECK_FALSE(first.due(kNow + hours{24} - std::chrono::seconds{1}));
        CHECK(first.rotated(kNow + hours{23}, random) == first);
        const TicketKeys second = first.rotated(kNow + hours{24}, random);
        CHECK(second.previous == first.current);
        CHECK(second.current != first.current);
        CHECK(second.find(name_of(first.current)) == &*second.previous);
        CHECK(second.find(name_of(second.current)) == &second.current);
        const TicketKeys third = second.rotated(kNow + hours{48}, random);
        CHECK(third.find(name_of(first.current)) == nullptr);
        CHECK(third.find({}) == nullptr);
    }

    TEST_CASE("keys older than two days, or from the future, open nothing any more") {
        SeededRandom random(5);
        const TicketKeys first = TicketKeys::make(kNow, random);
        CHECK_FALSE(first.rotated(kNow + hours{48}, random).previous.has_value());
        CHECK_FALSE(first.rotated(kNow - hours{1}, random).previous.has_value());
    }

    TEST_CASE("keys survive the way through their text") {
        SeededRandom random(6);
        TicketKeys keys = TicketKeys::make(kNow, random);
        CHECK(parse_ticket_keys(format_ticket_keys(keys).view()).value() == keys);
        keys = keys.rotated(kNow + hours{25}, random);
        CHECK(parse_ticket_keys(format_ticket_keys(keys).view()).value() == keys);
    }

    TEST_CASE("text that is cut off or changed anywhere is refused") {
        SeededRandom random(7);
        const TicketKeys keys = TicketKeys::make(kNow, random).rotated(kNow + hours{25}, random);
        const std::string text{format_ticket_keys(keys).view()};
        for (std::size_t i = 0; i < text.size(); ++i) {
            CAPTURE(i);
            CHECK(parse_ticket_keys(text.substr(0, i)).error().number == "E5240");
            std::string bent = text;
            bent[i] = static_cast<char>(bent[i] ^ 1);
            CHECK(parse_ticket_keys(bent).error().number == "E5240");
        }
        CHECK(parse_ticket_keys(text + "\n").error().number == "E5240");
    }

    TEST_CASE("the file is made once, private, kept over a restart and rotated") {
        const TempFolder folder;
        SeededRandom random(8);
        const TicketKeys first = load_ticket_keys(folder.path(), kNow, random).value();
        CHECK(test::mode_of(folder.path() / "tickets.key") == 0600);
        CHECK(load_ticket_keys(folder.path(), kNow + hours{1}, random).value() == first);
        const TicketKeys second = load_ticket_keys(folder.path(), kNow + hours{30}, random).value();
        CHECK(second.previous == first.current);
        CHECK(load_ticket_keys(folder.path(), kNow + hours{31}, random).value() == second);
    }

    TEST_CASE("a damaged or open file is refused by name and left alone") {
        const TempFolder folder;
        SeededRandom random(9);
        const auto path = folder.path() / "tickets.key";
        CHECK(load_ticket_keys(folder.path(), kNow, random).has_value());
        const std::string text = test::slurp(path);
        test::spill(path, text.substr(0, 100));
        const auto cut = load_ticket_keys(folder.path(), kNow, random);
        CHECK(cut.error().number == "E5240");
        CHECK(cut.error().message.starts_with(path.string()));
        CHECK(test::slurp(path) == text.substr(0, 100));
        test::spill(path, text);
        ::chmod(path.c_str(), 0640);
        CHECK(load_ticket_keys(folder.path(), kNow, random).error().number == "E5203");
    }
}
