"""What a class allows each of its things, what a listener allows, and two boards with one identity."""
import json
import struct
import time
import unittest

from harness import PLAIN_LISTENER, TLS_LISTENER, BrokerTest, PlainBrokerTest, eventually
from tiny_mqtt import CONNACK, PUBACK, Client, Closed, connect_packet, publish_packet, tls_context

SMALL_LISTENER = """
[listener.small]
protocol = "mqtt"
bind = "127.0.0.1:0"
anonymous_policy_file = "allow.json"
packet_bytes_max = "1KiB"
connections_max = 2
"""


class FullQueue(PlainBrokerTest):
    options = {"config": TLS_LISTENER + PLAIN_LISTENER + "queue_messages_max = 5\n"}

    def test_what_a_queue_drops_is_told_by_event_log_metric_and_session(self):
        watcher = self.client("watcher")
        watcher.subscribe("$iotsky/events/#")
        away = self.client("away", clean=False)
        away.subscribe("t", qos=1)
        away.disconnect()
        publisher = self.client("publisher")
        for number in range(1, 9):
            publisher.send(publish_packet("t", b"x", 1, packet_id=number))
            publisher.expect(PUBACK)
        event = eventually(lambda: watcher.inbox or watcher.messages(), "the event")[0]
        self.assertEqual(event.topic, "$iotsky/events/session.message_dropped")
        told = json.loads(event.payload)
        self.assertEqual(told["kind"], "session.message_dropped")
        self.assertEqual((told["body"]["code"], told["body"]["client_id"], told["body"]["topic"]),
                         ("E3403", "away", "t"))
        self.broker.wait_for_log("limit reached what=queue")
        lines = self.broker.http("GET", "//metrics").body.decode().splitlines()
        self.assertIn('iotsky_publish_dropped_total{reason="quota"} 3', lines)
        session = next(item for item in self.broker.items("/sessions") if item["client_id"] == "away")
        shown = self.broker.ask("GET", f"/sessions/{session['id']}")
        self.assertEqual(shown["dropped"]["quota"], 3, shown)


class Limits(BrokerTest):
    options = {"config": TLS_LISTENER + SMALL_LISTENER, "plain": True}

    def client(self, identity, name="board", source="", code=0):
        client = Client(self.broker.port(), tls_context(identity), source=source)
        self.addCleanup(client.sock.close)
        client.connect(name, code=code)
        return client

    def told(self, thing):
        """The numbers of the thing's refusals."""
        path = thing.path.replace("/", ":")
        return {item["code"] for item in self.broker.items(f"/things/{path}/refusals")}

    def metric(self, text):
        answer = self.broker.http("GET", "//metrics")
        lines = answer.body.decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(text))

    def test_a_flood_is_slowed_down_to_the_rate_and_told(self):
        self.broker.make_class("rate", limits={"messages_per_second": 20, "burst": 10})
        thing = self.broker.make_thing("rate/otter/weather")
        client = self.client(thing)
        client.subscribe("$me/notice")
        slowed = self.metric('iotsky_brakes_total{stage="publish"}')
        began = time.monotonic()
        for i in range(1, 51):
            client.send(publish_packet("$me/t", b"x", 1, packet_id=i))
        acknowledged = [struct.unpack("!H", client.expect(PUBACK))[0] for _ in range(50)]
        took = time.monotonic() - began
        self.assertEqual(acknowledged, list(range(1, 51)))
        self.assertGreater(took, 1.9)  # 40 of them at 20 a second
        notice = eventually(lambda: client.inbox or client.messages(), "the notice")[0]
        self.assertEqual(json.loads(notice.payload)["code"], "E3401")
        self.assertGreater(self.metric('iotsky_brakes_total{stage="publish"}'), slowed)

        self.broker.cli("class", "set", "rate", "--messages-per-second", "100000",
                        "--burst", "100000")
        began = time.monotonic()
        for i in range(1, 1001):
            client.send(publish_packet("$me/t", b"x", 1, packet_id=i))
        for _ in range(1000):
            client.expect(PUBACK)
        self.assertLess(time.monotonic() - began, 30)  # 50 s at the rate of before

    def test_a_long_payload_and_a_retained_message_too_many_are_told(self):
        self.broker.make_class("size", limits={"payload_bytes_max": 100,
                                               "retained_per_thing_max": 2})
        thing = self.broker.make_thing("size/otter/weather")
        client = self.client(thing)
        client.subscribe("size/otter/#", qos=0)
        client.publish("$me/t", b"x" * 101, 1)
        client.publish("$me/t", b"x" * 100, 1)
        self.assertEqual([len(m.payload) for m in client.messages()], [100])
        for name in "abc":
            client.publish(f"$me/{name}", b"1", 1, retain=True)
        client.messages()
        late = self.client(thing, "late")
        late.subscribe("size/otter/#")
        self.assertEqual(len(late.messages()), 2)
        self.assertLessEqual({"E3402", "E3406"}, self.told(thing))

    def test_a_listener_has_limits_of_its_own(self):
        def plain(listener):
            client = Client(self.broker.port(listener))
            self.addCleanup(client.sock.close)
            client.connect(f"{listener}{time.monotonic()}")
            return client

        first, second = plain("small"), plain("small")
        with self.assertRaises(Closed):
            plain("small")
        plain("plain").publish("t", b"x" * 2000, 1)
        with self.assertRaises(Closed):
            first.publish("t", b"x" * 2000, 1)
        second.publish("t", b"x" * 500, 1)

    def test_two_boards_with_one_identity_do_not_fight_for_ever(self):
        self.broker.make_class("clone")
        thing = self.broker.make_thing("clone/otter/weather")
        before = self.metric('iotsky_session_takeovers_total{kind="clone"}')
        codes = []
        for i in range(10):
            source = ("127.0.0.1", "127.0.0.2")[i % 2]
            client = Client(self.broker.port(), tls_context(thing), source=source)
            self.addCleanup(client.sock.close)
            client.send(connect_packet("board"))
            codes.append(client.expect(CONNACK)[1])
        # Three take-overs; then the newest stays, and may come back to itself.
        self.assertEqual(codes, [0, 0, 0, 0, 2, 0, 2, 0, 2, 0])
        self.assertEqual(self.metric('iotsky_session_takeovers_total{kind="clone"}') - before, 3)
        self.assertIn("E3301", self.told(thing))


if __name__ == "__main__":
    unittest.main()
