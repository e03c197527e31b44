#include "broker/mailbox.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstring>
#include <memory>
#include <semaphore>
#include <thread>
#include <utility>
#include <vector>

namespace {

using iotsky::Sleeper;
using iotsky::broker::ControlLane;
using iotsky::broker::ControlMessage;
using iotsky::broker::Mailbox;
using iotsky::broker::MailChunk;
using iotsky::broker::ThreadId;
using iotsky::broker::Waker;

class CountingWaker final : public Waker {
  public:
    void wake() noexcept override { ++wakes; }
    int wakes = 0;
};

/// Wakes a thread that waits, as an eventfd does.
class SemaphoreWaker final : public Waker {
  public:
    void wake() noexcept override { semaphore.release(); }
    std::counting_semaphore<> semaphore{0};
};

MailChunk chunk_of(ThreadId from, std::uint32_t number, std::vector<std::byte> bytes = {}) {
    bytes.resize(sizeof(number));
    std::memcpy(bytes.data(), &number, sizeof(number));
    return {from, number, std::move(bytes)};
}

std::uint32_t number_in(const MailChunk& chunk) {
    std::uint32_t number = 0;
    std::memcpy(&number, chunk.bytes.data(), sizeof(number));
    return number;
}

class Nothing final : public ControlMessage {
  public:
    void run(iotsky::broker::Shard&) override {}
};

}  // namespace

TEST_SUITE("broker.mailbox") {
    TEST_CASE("chunks come out in the order of arrival, with what was said of them") {
        Mailbox box;
        box.publish(chunk_of(3, 1));
        box.publish(chunk_of(4, 2));
        CHECK(box.waiting_bytes() == 8);
        std::vector<MailChunk> out;
        box.drain(out);
        box.publish(chunk_of(3, 3));
        box.drain(out);  // to what is there already
        CHECK(box.empty());
        REQUIRE(out.size() == 3);
        CHECK(out[0].from == 3);
        CHECK(out[1].batch == 2);
        CHECK(number_in(out[2]) == 3);
    }

    TEST_CASE("an empty chunk is nothing: it wakes nobody") {
        Mailbox box;
        CountingWaker waker;
        Sleeper sleeper;
        box.set_waker(&waker, &sleeper);
        sleeper.announce();
        box.publish({});
        std::vector<MailChunk> out;
        box.drain(out);
        CHECK(out.empty());
        CHECK(waker.wakes == 0);
    }

    TEST_CASE("one sleep is ended by one wake-up, however many send") {
        Mailbox box;
        ControlLane lane;
        CountingWaker waker;
        Sleeper sleeper;
        box.set_waker(&waker, &sleeper);
        lane.set_waker(&waker, &sleeper);
        box.publish(chunk_of(0, 1));
        CHECK(waker.wakes == 0);  // awake
        sleeper.announce();
        std::unique_ptr<ControlMessage> message = std::make_unique<Nothing>();
        CHECK(lane.post(message));
        box.publish(chunk_of(0, 2));
        CHECK(waker.wakes == 1);
    }

    TEST_CASE("emptied buffers are used again, blown-up ones are not kept") {
        Mailbox box;
        std::vector<MailChunk> used;
        used.push_back(chunk_of(0, 1));
        used.emplace_back();
        used.back().bytes.resize(std::size_t{1} << 20U);
        const void* memory = used.front().bytes.data();
        box.recycle(std::move(used));
        const std::vector<std::byte> buffer = box.take_buffer();
        CHECK(buffer.empty());
        CHECK(buffer.capacity() >= 4);
        CHECK(buffer.data() == memory);
        CHECK(box.take_buffer().capacity() == 0);
    }

    TEST_CASE("four senders and a receiver that sleeps: nothing lost, each sender's order kept") {
        constexpr std::uint32_t kPerSender = 20'000;
        Mailbox box;
        SemaphoreWaker waker;
        Sleeper sleeper;
        box.set_waker(&waker, &sleeper);
        std::vector<std::thread> senders;
        for (ThreadId id = 0; id < 4; ++id) {
            senders.emplace_back([&box, id] {
                for (std::uint32_t i = 1; i <= kPerSender; ++i) {
                    box.publish(chunk_of(id, i, box.take_buffer()));
                }
            });
        }
        std::array<std::uint32_t, 4> last{};
        std::uint32_t wrong = 0;
        std::vector<MailChunk> mail;
        for (std::uint32_t seen = 0; seen < 4 * kPerSender;) {
            sleeper.announce();
            if (box.empty()) {
                waker.semaphore.acquire();
            }
            sleeper.awake();
            box.drain(mail);
            for (const MailChunk& chunk : mail) {
                wrong += number_in(chunk) == last[chunk.from] + 1 ? 0U : 1U;
                last[chunk.from] = number_in(chunk);
                ++seen;
            }
            box.recycle(std::move(mail));
            mail.clear();
        }
        for (std::thread& sender : senders) {
            sender.join();
        }
        CHECK(wrong == 0);
        CHECK(last == std::array{kPerSender, kPerSender, kPerSender, kPerSender});
        CHECK(box.empty());
    }
}

TEST_SUITE("broker.control_lane") {
    TEST_CASE("messages come out in order; after close() a message is handed back untouched") {
        ControlLane lane;
        std::vector<ControlMessage*> posted;
        for (int i = 0; i < 3; ++i) {
            std::unique_ptr<ControlMessage> message = std::make_unique<Nothing>();
            posted.push_back(message.get());
            REQUIRE(lane.post(message));
            CHECK_FALSE(message);
        }
        CHECK_FALSE(lane.empty());
        lane.close();
        std::unique_ptr<ControlMessage> late = std::make_unique<Nothing>();
        const ControlMessage* before = late.get();
        CHECK_FALSE(lane.post(late));
        CHECK(late.get() == before);

        std::vector<std::unique_ptr<ControlMessage>> out;
        lane.drain(out);  // what was taken is not lost
        REQUIRE(out.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) {
            CHECK(out[i].get() == posted[i]);
        }
        CHECK(lane.empty());
    }
}
