// Services that answer later (`decisions.md` 20): the acknowledgement waits, the order stays, no
// thread waits.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "broker/mqtt/encode_client.hpp"
#include "tests/simulation/world.hpp"

using namespace iotsky;
using namespace iotsky::simulation;
using namespace std::chrono_literals;
using broker::ShardStats;

namespace {

/// What the service was asked, and what it owes.
struct Desk {
    std::vector<std::string> asked;
    std::vector<broker::ServiceTicket> owed;

    void answer_all() {
        for (broker::ServiceTicket& ticket : std::exchange(owed, {})) {
            ticket.complete({{"$desk/answer", "done", 1, false}});
        }
    }
};

class DeskService final : public broker::Service {
  public:
    explicit DeskService(Desk& desk) : desk_(desk) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "desk"; }
    [[nodiscard]] std::vector<std::string> filters() const override { return {"$desk/ask"}; }
    [[nodiscard]] broker::ServiceReplies on_publish(const broker::ServiceMessage& message,
                                                    broker::ServiceCall& call) override {
        desk_.asked.emplace_back(as_text(message.payload));
        desk_.owed.push_back(call.later());
        return {};
    }

  private:
    Desk& desk_;
};

struct Fixture {
    explicit Fixture(unsigned threads = 2, const broker::Options& options = {})
        : world(1, threads, LogFault::none, options) {
        world.reconnect = false;
        world.add_service([this] { return std::make_unique<DeskService>(desk); });
    }
    Client& connected(ClientOptions options) {
        return simulation::connected(world, std::move(options));
    }
    /// The client comes back, asks a second time, and is acknowledged when that is answered.
    void check_asks_again(Client& client) {
        world.connect(client);
        REQUIRE(world.settle());
        CHECK(desk.asked.size() == 2);
        desk.answer_all();
        REQUIRE(world.settle());
        CHECK(client.acknowledged.size() == 1);
    }

    Desk desk;  // outlives the world, which holds its service
    World world;
};

std::string waiting_bytes(const Client& client) {
    const auto& bytes = client.wire()->to_client;
    std::string text;
    std::transform(bytes.begin(), bytes.end(), std::back_inserter(text),
                   [](std::byte b) { return static_cast<char>(b); });
    return text;
}

}  // namespace

TEST_SUITE("simulation.services") {
    TEST_CASE("a PUBACK waits for the service's answer, in its place") {
        Fixture f;
        Client& client = f.connected({"a", "u", true});
        Client& other = f.connected({"b", "v", true});
        client.publish("$desk/ask", "question", 1, false);
        client.publish("t", "behind it", 1, false);
        other.publish("t", "elsewhere", 1, false);
        REQUIRE(f.world.settle());
        CHECK(f.desk.asked == std::vector<std::string>{"question"});
        CHECK(client.acknowledged.empty());
        CHECK(other.acknowledged.size() == 1);
        f.desk.answer_all();
        f.world.turns(4);
        CHECK(waiting_bytes(client) == std::string("\x40\x02\x00\x01\x40\x02\x00\x02", 8));
        REQUIRE(f.world.settle());
        CHECK(client.acknowledged.size() == 2);
    }

    TEST_CASE("the acknowledgement waits until the replies are durable") {
        Fixture f;
        Client& reader = f.connected({"r", "r", false, {{"$desk/answer", 1}}});
        reader.lose_connection();
        REQUIRE(f.world.settle());
        Client& client = f.connected({"a", "u", true});
        client.publish("$desk/ask", "question", 1, false);
        REQUIRE(f.world.settle());
        f.desk.answer_all();
        f.world.turns(4);
        (void)client.step();
        CHECK(client.acknowledged.empty());
        (void)f.world.log().step();
        (void)f.world.log().step();
        f.world.turns(4);
        (void)client.step();
        CHECK(client.acknowledged.size() == 1);
        CHECK(f.world.log().tables().queue_rows() == 1);
    }

    TEST_CASE("replies that an acknowledgement waits for are due at once") {
        Fixture f;
        Client& reader = f.connected({"r", "r", false, {{"$desk/answer", 1}}});
        reader.lose_connection();
        REQUIRE(f.world.settle());
        Client& client = f.connected({"a", "u", true});
        client.publish("$desk/ask", "question", 1, false);
        REQUIRE(f.world.settle());
        f.desk.answer_all();
        REQUIRE(f.world.settle_without_timer());
        CHECK(client.acknowledged.size() == 1);
    }

    TEST_CASE("a reply reaches its readers on every thread, also of a question at QoS 0") {
        Fixture f(3);
        Client& reader = f.connected({"r", "r", true, {{"$desk/answer", 1}}});
        Client& client = f.connected({"a", "u", true});
        client.publish("$desk/ask", "question", 0, false);
        REQUIRE(f.world.settle());
        REQUIRE(f.desk.owed.size() == 1);
        f.desk.answer_all();
        REQUIRE(f.world.settle());
        CHECK(reader.deliveries.size() == 1);
    }

    TEST_CASE(
        "a service that does not answer in time: the client is closed without an acknowledgement, "
        "told, and asks again") {
        broker::Options options;
        options.limits.service_timeout = 500ms;
        for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
            CAPTURE(qos);
            Fixture f(2, options);
            Client& reader = f.connected({"r", "r", true, {{"$desk/answer", 1}}});
            Client& client = f.connected({"a", "u", false});
            client.publish("$desk/ask", "question", qos, false);
            REQUIRE(f.world.settle());
            f.world.advance(450ms);
            REQUIRE(f.world.settle());
            CHECK(client.connected());
            f.world.advance(100ms);
            REQUIRE(f.world.settle());
            CHECK_FALSE(client.connected());
            CHECK(client.acknowledged.empty());
            CHECK(f.world.broker().total(&ShardStats::service_timeouts) == 1);
            CHECK(f.world.refusals.back().number == "E3408");

            f.desk.answer_all();  // too late for the client, not for those who read
            REQUIRE(f.world.settle());
            CHECK(reader.deliveries.size() == 1);

            f.check_asks_again(client);
        }
    }

    TEST_CASE("a service that gives its ticket up ends the wait at once") {
        Fixture f;
        Client& client = f.connected({"a", "u", true});
        client.publish("$desk/ask", "question", 1, false);
        REQUIRE(f.world.settle());
        f.desk.owed.clear();
        REQUIRE(f.world.settle());
        CHECK_FALSE(client.connected());
        CHECK(client.acknowledged.empty());
    }

    TEST_CASE("[MQTT-4.3.3-2] a QoS 2 message is asked once, and a repetition waits as well") {
        Fixture f;
        Client& client = f.connected({"a", "u", false});
        client.publish("$desk/ask", "question", 2, false);
        REQUIRE(f.world.settle());
        client.lose_connection();
        REQUIRE(f.world.settle());
        f.world.connect(client);  // sends it again, with DUP
        REQUIRE(f.world.settle());
        CHECK(f.desk.asked.size() == 1);
        CHECK(client.acknowledged.empty());
        f.desk.answer_all();
        REQUIRE(f.world.settle());
        CHECK(client.acknowledged.size() == 1);
        CHECK(client.connected());
    }

    TEST_CASE("a QoS 2 question that comes twice on one connection does not shut its gate") {
        Fixture f;
        Client& client = f.connected({"a", "u", true});
        client.publish("$desk/ask", "question", 2, false);
        client.publish("t", "behind it", 1, false);
        REQUIRE(f.world.settle());
        std::vector<std::byte> again;
        mqtt::PublishView publish;
        publish.dup = true;
        publish.qos = mqtt::Qos::exactly_once;
        publish.topic = "$desk/ask";
        publish.packet_id = 1;
        mqtt::append_publish(again, publish).value();
        client.send_raw(again);
        client.publish("t", "behind both", 1, false);
        REQUIRE(f.world.settle());
        CHECK(f.desk.asked.size() == 1);
        f.desk.answer_all();
        REQUIRE(f.world.settle());
        CHECK(client.acknowledged.size() == 3);
    }

    TEST_CASE("a question whose answer was lost in a crash counts as not received") {
        for (const std::uint8_t qos : {std::uint8_t{1}, std::uint8_t{2}}) {
            CAPTURE(qos);
            Fixture f;
            Client& client = f.connected({"a", "u", false});
            client.publish("$desk/ask", "question", qos, false);
            REQUIRE(f.world.settle());
            f.world.crash(true);
            f.desk.answer_all();  // to a broker that is gone
            f.check_asks_again(client);
        }
    }

    TEST_CASE("an answered QoS 2 question stays answered over a crash") {
        Fixture f;
        Client& client = f.connected({"a", "u", false});
        client.publish("$desk/ask", "question", 2, false);
        REQUIRE(f.world.settle());
        f.desk.answer_all();
        for (int i = 0; i < 20; ++i) {  // durable, and PUBREC is on the wire, unread
            (void)f.world.log().step();
            f.world.turns(1);
        }
        f.world.crash(true);
        f.world.connect(client);
        REQUIRE(f.world.settle());
        CHECK(f.desk.asked.size() == 1);
        CHECK(client.acknowledged.size() == 1);
    }

    TEST_CASE("questions at QoS 0 count as well; one without an answer closes nobody") {
        broker::Options options;
        options.limits.service_calls_max = 2;
        options.limits.service_timeout = 500ms;
        Fixture f(1, options);
        Client& client = f.connected({"a", "u", true});
        for (int i = 0; i < 5; ++i) {
            client.publish("$desk/ask", "question", 0, false);
        }
        f.world.turns(100);
        CHECK(f.desk.asked.size() == 2);
        f.world.advance(600ms);
        f.world.turns(100);
        CHECK(f.desk.asked.size() == 4);
        f.world.advance(600ms);
        f.world.turns(100);
        CHECK(f.desk.asked.size() == 5);
        CHECK(client.connected());
    }

    TEST_CASE("unanswered questions above their limit pause the client that asks, nobody else") {
        broker::Options options;
        options.limits.service_calls_max = 2;
        Fixture f(1, options);
        ClientOptions asking{"a", "u", true, {}, "$desk/ask", 1};
        asking.messages = 6;
        asking.window = 6;
        asking.packet_ids = 6;
        Client& client = f.world.add(asking);
        f.world.connect(client);
        Client& other = f.world.add({"b", "v", true});
        f.world.connect(other);
        for (int i = 0; i < 100; ++i) {
            f.world.turns(1);
            (void)client.step();
            (void)other.step();
        }
        CHECK(f.desk.asked.size() == 2);
        other.publish("t", "m", 1, false);
        for (int i = 0; i < 100; ++i) {
            f.world.turns(1);
            (void)client.step();
            (void)other.step();
        }
        CHECK(other.acknowledged.size() == 1);
        for (int i = 0; i < 3; ++i) {
            f.desk.answer_all();
            for (int j = 0; j < 50; ++j) {
                f.world.turns(1);
                (void)client.step();
            }
        }
        CHECK(f.desk.asked.size() == 6);
        CHECK(client.acknowledged.size() == 6);
    }
}
