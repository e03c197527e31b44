#include "broker/out_buffer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/random.hpp"

namespace {

using iotsky::SeededRandom;
using iotsky::broker::BlobRef;
using iotsky::broker::ChunkPool;
using iotsky::broker::OutBuffer;
using Bytes = std::vector<std::byte>;

Bytes random_bytes(SeededRandom& random, std::size_t n) {
    Bytes bytes(n);
    random.fill(bytes);
    return bytes;
}

Bytes front_of(const OutBuffer& out, std::size_t pieces_max) {
    std::vector<iovec> pieces(pieces_max);
    const std::size_t used = out.gather(pieces);
    Bytes bytes;
    for (std::size_t i = 0; i < used; ++i) {
        CHECK(pieces[i].iov_len > 0);
        const auto* from = static_cast<const std::byte*>(pieces[i].iov_base);
        bytes.insert(bytes.end(), from, from + pieces[i].iov_len);
    }
    return bytes;
}

Bytes part(const Bytes& bytes, std::size_t offset, std::size_t length) {
    const auto from = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    return {from, from + static_cast<std::ptrdiff_t>(length)};
}

/// An OutBuffer and the obvious thing that it must equal.
struct Pair {
    explicit Pair(ChunkPool& pool) : out(pool) {}

    void add(const Bytes& bytes) { twin.insert(twin.end(), bytes.begin(), bytes.end()); }
    void write(SeededRandom& random) {
        const Bytes bytes = random_bytes(random, random.below(4097));
        const std::span<std::byte> room = out.reserve(bytes.size());
        REQUIRE(room.size() == bytes.size());
        const std::size_t kept = random.below(bytes.size() + 1);
        std::copy_n(bytes.begin(), kept, room.begin());
        out.commit(kept);
        add(part(bytes, 0, kept));
    }
    void append(SeededRandom& random) {
        const Bytes bytes = random_bytes(random, random.below(10'000));
        out.append(bytes);
        add(bytes);
    }
    void share(SeededRandom& random) {
        const Bytes bytes = random_bytes(random, random.below(20'000));
        const std::size_t offset = random.below(bytes.size() + 1);
        const std::size_t length = random.below(bytes.size() - offset + 1);
        out.append_shared(BlobRef::copy_of(bytes), offset, length);
        add(part(bytes, offset, length));
    }
    void consume(SeededRandom& random) {
        const std::size_t n = random.below(twin.size() + 1);
        out.consume(n);
        twin = part(twin, n, twin.size() - n);
    }
    void compare() const {
        REQUIRE(out.size() == twin.size());
        CHECK(out.empty() == twin.empty());
        CHECK((front_of(out, 10'000) == twin));
        const Bytes first = front_of(out, 2);
        CHECK((first == part(twin, 0, first.size())));
    }

    OutBuffer out;
    Bytes twin;
};

}  // namespace

TEST_SUITE("broker.out_buffer") {
    TEST_CASE("what goes in comes out in order, however it is written and taken") {
        for (std::uint64_t seed = 0; seed < 40; ++seed) {
            CAPTURE(seed);
            SeededRandom random(seed);
            ChunkPool pool(8);
            Pair pair(pool);
            for (int step = 0; step < 100; ++step) {
                switch (random.below(5)) {
                    case 0:
                        pair.write(random);
                        break;
                    case 1:
                        pair.append(random);
                        break;
                    case 2:
                        pair.share(random);
                        break;
                    default:
                        pair.consume(random);
                        break;
                }
                pair.compare();
            }
        }
    }

    TEST_CASE("an empty buffer holds no chunk: the pool has it back") {
        ChunkPool pool;
        OutBuffer out(pool);
        out.append(std::array<std::byte, 3>{});
        std::array<iovec, 1> piece{};
        REQUIRE(out.gather(piece) == 1);
        const void* chunk = piece[0].iov_base;
        SUBCASE("after the last byte went") {
            out.consume(3);
        }
        SUBCASE("after clear()") {
            out.clear();
        }
        SUBCASE("after its end") {
            const OutBuffer gone(std::move(out));
        }
        CHECK(pool.take().get() == chunk);
    }

    TEST_CASE("a reservation that is not used costs nothing") {
        ChunkPool pool;
        OutBuffer out(pool);
        const void* chunk = out.reserve(100).data();
        out.commit(0);
        CHECK(out.empty());
        CHECK(pool.take().get() == chunk);
    }

    TEST_CASE("the pool keeps no more chunks than it was told") {
        ChunkPool pool(1);
        auto first = pool.take();
        auto second = pool.take();
        const void* kept = first.get();
        pool.give_back(std::move(first));
        pool.give_back(std::move(second));
        const auto again = pool.take();
        CHECK(again.get() == kept);
    }

    TEST_CASE("a shared payload is referred to, not copied, and lives as long as its last reader") {
        ChunkPool pool;
        const Bytes payload(5000, std::byte{7});
        BlobRef blob = BlobRef::copy_of(payload);
        const std::byte* data = blob.bytes().data();
        OutBuffer a(pool);
        OutBuffer b(pool);
        a.append_shared(blob, 10, 4990);
        b.append_shared(std::move(blob), 0, 5000);
        std::array<iovec, 1> piece{};
        REQUIRE(a.gather(piece) == 1);
        CHECK(piece[0].iov_base == data + 10);
        a.clear();
        CHECK((front_of(b, 1) == payload));
    }

    TEST_CASE("a blob goes through an arena as a bare pointer") {
        const Bytes payload(4096, std::byte{1});
        BlobRef blob = BlobRef::copy_of(payload);
        const BlobRef other = blob;
        auto* bare = blob.release();
        CHECK_FALSE(blob);
        blob = BlobRef::adopt(bare);
        CHECK(blob.bytes().data() == other.bytes().data());
        CHECK(BlobRef{}.bytes().empty());
    }
}
