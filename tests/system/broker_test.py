"""The protocol over real sockets: delivery, retained messages, wills, sessions, and the wire tables."""
import datetime
import os
import pathlib
import struct
import subprocess
import time
import unittest

from harness import Broker, MosquittoSub, PlainBrokerTest, eventually, mosquitto_pub
from tiny_mqtt import (PUBCOMP, PUBLISH, PUBREC, PUBREL, Client, Closed, Message, packet,
                       publish_packet)

TABLES = sorted((pathlib.Path(__file__).parent.parent / "wire").glob("*.txt"))


class Protocol(PlainBrokerTest):
    def test_each_qos_arrives_once_and_in_order(self):
        for qos in 0, 1, 2:
            with self.subTest(qos=qos):
                sub, pub = self.client(f"s{qos}"), self.client(f"p{qos}")
                sub.subscribe(f"qos/{qos}", qos=1)
                sent = [f"{i}".encode() for i in range(200)]
                for payload in sent:
                    pub.publish(f"qos/{qos}", payload, qos)
                got = [sub.message() for _ in sent]
                self.assertEqual([m.payload for m in got], sent)
                self.assertEqual({m.qos for m in got}, {min(qos, 1)})
                self.assertEqual(sub.messages(), [])

    def test_qos_2_to_the_subscriber(self):
        sub, pub = self.client("s"), self.client("p")
        sub.subscribe("two", qos=2)
        pub.publish("two", b"x", 2)
        message = sub.message()
        self.assertEqual((message.qos, message.dup), (2, False))
        number = struct.pack("!H", message.packet_id)
        sub.send(packet(PUBREC, 0, number))
        self.assertEqual(sub.expect(PUBREL), number)
        sub.send(packet(PUBCOMP, 0, number))
        self.assertEqual(sub.messages(), [])

    def test_a_repeated_qos_2_publish_is_delivered_once(self):
        sub, pub = self.client("s"), self.client("p", clean=False)
        sub.subscribe("dup", qos=0)
        pub.send(publish_packet("dup", b"x", 2, packet_id=7))
        pub.expect(PUBREC)
        pub.drop()
        pub = self.client("p", clean=False)
        self.assertTrue(pub.was_present)
        pub.send(publish_packet("dup", b"x", 2, packet_id=7, dup=True))
        pub.expect(PUBREC)
        pub.send(packet(PUBREL, 2, b"\0\7"))
        pub.expect(PUBCOMP)
        self.assertEqual([m.payload for m in sub.until(b"x")], [b"x"])
        self.assertEqual(sub.messages(), [])

    def test_retained_is_kept_replaced_and_deleted(self):
        pub = self.client("p")
        for payload in b"one", b"two":
            pub.publish("kept/a", payload, 1, retain=True)
        sub = self.client("s")
        sub.subscribe("kept/#", qos=1)
        message = sub.message()
        self.assertEqual((message.payload, message.retain), (b"two", True))
        pub.publish("kept/a", b"", 1, retain=True)
        sub.messages()
        late = self.client("late")
        late.subscribe("kept/#")
        self.assertEqual(late.messages(), [])

    def test_will_comes_without_disconnect_only(self):
        sub = self.client("s")
        sub.subscribe("will/#", qos=1)
        polite = self.client("polite", will=("will/polite", b"x", 1, False))
        polite.disconnect()
        lost = self.client("lost", will=("will/lost", b"gone", 1, False))
        lost.drop()
        message = sub.message()
        self.assertEqual((message.topic, message.payload), ("will/lost", b"gone"))
        self.assertEqual(sub.messages(), [])

    def test_keep_alive_ends_a_silent_client_and_sends_its_will(self):
        sub = self.client("s")
        sub.subscribe("will/silent")
        silent = self.client("silent", keep_alive=1, will=("will/silent", b"late", 0, False))
        took = silent.wait_closed()
        self.assertGreater(took, 1.0)
        self.assertEqual(sub.message().payload, b"late")

    def test_take_over_closes_the_older_and_keeps_the_session(self):
        old = self.client("same", clean=False)
        old.subscribe("take/#", qos=1)
        new = self.client("same", clean=False)
        self.assertTrue(new.was_present)
        old.wait_closed()
        self.client("p").publish("take/x", b"1", 1)
        self.assertEqual(new.message().payload, b"1")

    def test_queue_of_an_absent_session_arrives_in_order(self):
        away = self.client("away", clean=False)
        away.subscribe("queue/#", qos=1)
        away.disconnect()
        pub = self.client("p")
        sent = [f"{i}".encode() for i in range(500)]
        for payload in sent:
            pub.publish("queue/x", payload, 1)
        away = self.client("away", clean=False)
        self.assertTrue(away.was_present)
        self.assertEqual([away.message().payload for _ in sent], sent)
        self.assertFalse(self.client("away", clean=True).was_present)
        self.assertFalse(self.client("away", clean=False).was_present)

    def test_unacknowledged_messages_come_again(self):
        sub = self.client("again", clean=False)
        sub.subscribe("again", qos=1)
        self.client("p").publish("again", b"x", 1)
        kind, flags, body = sub.read()
        self.assertEqual(kind, PUBLISH)
        sub.drop()
        sub = self.client("again", clean=False)
        message = sub.message()
        self.assertEqual((message.payload, message.dup, message.packet_id),
                         (b"x", True, Message(flags, body).packet_id))

    def test_connections_and_sessions_say_since_when(self):
        began = int(time.time())
        self.client("dated", clean=False).drop()
        self.client("dated", clean=False)
        for path in "/connections?client_id=dated", "/sessions?client_id=dated":
            (row,) = self.broker.ask("GET", path)["items"]
            since = datetime.datetime.fromisoformat(row["since"].replace("Z", "+00:00")).timestamp()
            self.assertTrue(began <= since <= time.time(), row)

    def test_a_malformed_packet_closes_that_connection_only(self):
        good = self.client("good")
        for bad in b"\x00\x00", b"\x30\x03\x00\x05a", b"\x10\x00", b"\xf0\x00", b"\x82\x02\x00\x01":
            with self.subTest(bad=bad.hex()):
                client = self.client("bad")
                client.send(bad)
                client.wait_closed()
        self.assertEqual(good.messages(), [])

    def test_large_payload_passes_whole(self):
        sub, pub = self.client("s"), self.client("p")
        sub.subscribe("large", qos=0)
        payload = os.urandom(200_000)
        pub.publish("large", payload, 1)
        self.assertEqual(sub.message().payload, payload)

    def test_mosquitto_clients_without_tls(self):
        """[MQTT-7.0.0-2]"""
        sub = MosquittoSub(self.port, "-t", "plain/#", "-q", "2")
        mosquitto_pub(self.port, "-t", "plain/x", "-m", "hello", "-q", "2")
        self.assertEqual(sub.messages(), [("plain/x", "hello")])

    def test_sys_topics_are_there(self):
        sub = self.client("s")
        self.assertEqual(sub.subscribe("$SYS/#"), [0])
        topics = set()
        eventually(lambda: topics.update(m.topic for m in sub.messages()) or topics, "a $SYS message")
        everything = self.client("all")
        everything.subscribe("#")
        self.assertEqual([m for m in everything.messages() if m.topic.startswith("$")], [])

    # ctest builds the runner and names it; without it the rest of this file can be run by hand.
    @unittest.skipUnless("IOTSKY_WIRE_RUNNER" in os.environ, "ctest names the wire runner")
    def test_wire_tables(self):
        done = subprocess.run([os.environ["IOTSKY_WIRE_RUNNER"], "--port", str(self.port),
                               "--patience-ms", "10000", *TABLES], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)


class Refused(unittest.TestCase):
    def test_anonymous_clients_need_a_policy(self):
        config = """
[listener.plain]
protocol = "mqtt"
bind = "127.0.0.1:0"
[listener.admin]
protocol = "unix"
path = "{data}/admin.sock"
"""
        with Broker(config=config) as broker, Client(broker.port("plain")) as client:
            client.connect("a", code=5)
            self.assertRaises(Closed, client.read)


if __name__ == "__main__":
    unittest.main(verbosity=2)
