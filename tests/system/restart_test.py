"""What the broker acknowledged is there after kill -9 and after SIGTERM: sessions, subscriptions, queues, identifiers
of QoS 2 in both directions, retained messages, wills."""
import json
import sqlite3
import struct
import subprocess
import unittest

from harness import Broker, MosquittoSub, OwnBrokerTest, eventually, mosquitto_pub
from tiny_mqtt import (PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, UNSUBACK, UNSUBSCRIBE, Client, Message, packet,
                       publish_packet, text)

MEMORY = '\n[durability]\nmode = "memory"\n'
RELAXED = '\n[durability]\nmode = "relaxed"\nbatch_wait_max = "50ms"\n'


class Restart(OwnBrokerTest):
    """Every promise with kill -9; `Stopped` below repeats them with SIGTERM."""
    options = {"plain": True}

    def end(self):
        self.broker.kill()

    def restart(self):
        self.end()
        self.broker.start()

    def client(self, name, clean=False, **options):
        client = Client(self.broker.port("plain"))
        self.addCleanup(client.sock.close)
        client.was_present = client.connect(name, clean=clean, **options)
        return client

    def publish(self, topic, *payloads, qos=1, **options):
        with Client(self.broker.port("plain")) as pub:
            pub.connect("publisher")
            for payload in payloads:
                pub.publish(topic, payload, qos, **options)

    def read_publish(self, client):
        kind, flags, body = client.read()
        self.assertEqual(kind, PUBLISH)
        return Message(flags, body)

    def test_a_subscription_and_what_was_queued_for_it(self):
        sub = self.client("sub")
        self.assertFalse(sub.was_present)
        sub.subscribe("t/+", qos=1)
        sub.disconnect()
        sent = [f"{i}".encode() for i in range(500)]
        self.publish("t/a", *sent)
        self.restart()
        sub = self.client("sub")
        self.assertTrue(sub.was_present)
        got = [sub.message() for _ in sent]
        self.assertEqual([m.payload for m in got], sent)
        self.assertFalse(any(m.retain for m in got))
        # The subscription lives on, and what was acknowledged does not come again.
        self.publish("t/b", b"new")
        self.assertEqual([m.payload for m in sub.until(b"new")], [b"new"])
        self.restart()
        self.assertEqual([m.payload for m in self.client("sub").messages() if m.payload != b"new"], [])

    def test_a_qos_1_message_in_flight_comes_again_as_a_duplicate(self):
        sub = self.client("sub")
        sub.subscribe("t", qos=1)
        self.publish("t", b"x", b"y")
        first = [self.read_publish(sub), self.read_publish(sub)]
        sub.send(packet(PUBACK, 0, struct.pack("!H", first[0].packet_id)))
        sub.messages()
        self.publish("kept", b"z", retain=True)  # what was appended before it is on disk with it
        self.restart()
        sub = self.client("sub")
        again = self.read_publish(sub)
        self.assertEqual((again.payload, again.dup), (b"y", True))
        self.assertEqual(again.packet_id, first[1].packet_id)

    def test_qos_2_outward_goes_on_where_it_was(self):
        sub = self.client("sub")
        sub.subscribe("t", qos=2)
        self.publish("t", b"sent", b"received", qos=2)
        sent, received = self.read_publish(sub), self.read_publish(sub)
        number = struct.pack("!H", received.packet_id)
        sub.send(packet(PUBREC, 0, number))
        self.assertEqual(sub.expect(PUBREL), number)
        self.restart()
        sub = self.client("sub")
        again = self.read_publish(sub)
        self.assertEqual((again.payload, again.dup, again.packet_id), (b"sent", True, sent.packet_id))
        # [MQTT-4.3.3-1]: after PUBREC only PUBREL.
        kind, _, body = sub.read()
        self.assertEqual((kind, body), (PUBREL, number))
        sub.send(packet(PUBCOMP, 0, number))
        sub.send(packet(PUBREC, 0, struct.pack("!H", again.packet_id)))
        sub.expect(PUBREL)
        sub.send(packet(PUBCOMP, 0, struct.pack("!H", again.packet_id)))
        self.assertEqual(sub.messages(), [])

    def test_qos_2_inward_is_delivered_once(self):
        sub = self.client("sub")
        sub.subscribe("t", qos=1)
        pub = self.client("pub")
        pub.send(publish_packet("t", b"once", 2, packet_id=7))
        pub.expect(PUBREC)
        self.restart()
        sub = self.client("sub")
        pub = self.client("pub")
        self.assertTrue(pub.was_present)
        pub.send(publish_packet("t", b"once", 2, packet_id=7, dup=True))
        pub.expect(PUBREC)
        pub.send(packet(PUBREL, 2, b"\0\7"))
        pub.expect(PUBCOMP)
        self.assertEqual(sub.message().payload, b"once")
        self.restart()  # the identifier is free again, and that is on disk, too
        pub = self.client("pub")
        pub.send(publish_packet("t", b"next", 2, packet_id=7))
        pub.expect(PUBREC)
        sub = self.client("sub")
        payloads = [m.payload for m in sub.until(b"next")]
        self.assertEqual([p for p in payloads if p != b"once"], [b"next"])

    def test_retained_messages(self):
        self.publish("kept/a", b"old", b"new", retain=True)
        self.publish("kept/b", b"gone", b"", retain=True)
        self.publish("kept/c", b"stays", retain=True, qos=2)
        self.restart()
        sub = self.client("sub", clean=True)
        sub.subscribe("kept/#", qos=2)
        got = {m.topic: (m.payload, m.retain, m.qos) for m in sub.messages()}
        self.assertEqual(got, {"kept/a": (b"new", True, 1), "kept/c": (b"stays", True, 2)})

    def test_an_unsubscription(self):
        sub = self.client("sub")
        sub.subscribe("a", "b", qos=1)
        sub.send(packet(UNSUBSCRIBE, 2, b"\0\x09" + text("a")))
        sub.expect(UNSUBACK)
        self.restart()
        sub = self.client("sub")
        self.publish("a", b"no")
        self.publish("b", b"yes")
        self.assertEqual([m.payload for m in sub.until(b"yes")], [b"yes"])

    def test_sessions_that_were_ended_do_not_come_back(self):
        sub = self.client("sub")
        sub.subscribe("t", qos=1)
        sub.disconnect()
        self.publish("t", b"old")
        with Client(self.broker.port("plain")) as clean:
            self.assertFalse(clean.connect("sub", clean=True))  # [MQTT-3.1.2-6]
        sub = self.client("sub")
        self.assertFalse(sub.was_present)
        self.client("volatile", clean=True).subscribe("t", qos=1)
        self.restart()
        self.assertTrue(self.client("sub").was_present)
        self.assertEqual(self.client("sub").messages(), [])
        self.assertFalse(self.client("volatile").was_present)

    def test_the_will_of_a_client_that_was_connected(self):
        watcher = self.client("watcher")
        watcher.subscribe("gone/+", qos=1)
        watcher.disconnect()
        self.client("a", will=("gone/a", "crash", 1, False))
        done = self.client("b", will=("gone/b", "never", 1, False))
        done.disconnect()
        self.client("b")  # its CONNACK says that the end of the Will is on disk
        self.restart()
        watcher = self.client("watcher")
        self.assertEqual([m.payload for m in eventually(watcher.messages, "the will")], [b"crash"])

    def test_debians_clients_find_their_session_again(self):
        port = self.broker.port("plain")
        sub = MosquittoSub(port, "-i", "keeper", "-c", "-q", 2, "-t", "m/#", count=1)
        mosquitto_pub(port, "-t", "m/first", "-q", 2, "-m", "1")
        self.assertEqual(sub.messages(), [("m/first", "1")])
        mosquitto_pub(port, "-t", "m/second", "-q", 2, "-m", "2")
        mosquitto_pub(port, "-t", "m/third", "-q", 1, "-m", "3")
        self.restart()
        # It subscribes to something else: what comes is of the session as it was.
        again = subprocess.run(
            ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.broker.port("plain")), "-i", "keeper", "-c", "-q", "2",
             "-t", "other", "-C", "2", "-W", "60", "-F", "%t %p"], capture_output=True, text=True, timeout=90)
        self.assertEqual(sorted(again.stdout.split("\n")[:2]), ["m/second 2", "m/third 3"])

    def test_many_restarts_lose_nothing_and_repeat_no_session_number(self):
        sub = self.client("sub")
        sub.subscribe("t", qos=1)
        sub.disconnect()
        for round_number in range(4):
            self.publish("t", f"{round_number}".encode())
            self.restart()
        sub = self.client("sub")
        self.assertEqual([sub.message().payload for _ in range(4)], [b"0", b"1", b"2", b"3"])


class Stopped(Restart):
    """The same promises over SIGTERM, which takes at most 2 s and sends the Wills of those who are connected."""

    def end(self):
        self.assertLess(self.broker.stop(), 5)  # 2 s, on a machine that is not busy with other tests


class Modes(unittest.TestCase):
    def start(self, settings):
        broker = Broker(plain=True)
        self.addCleanup(lambda: broker.__exit__(None, None, None))
        broker.config.write_text(broker.config.read_text() + settings)
        broker.start()
        return broker

    def keep(self, broker):
        with Client(broker.port("plain")) as client:
            client.connect("c", clean=False)
            client.publish("kept", b"x", 1, retain=True)
            client.disconnect()

    def is_kept(self, broker):
        with Client(broker.port("plain")) as client:
            present = client.connect("c", clean=False)
            client.subscribe("kept")
            self.assertEqual(present, [m.payload for m in client.messages()] == [b"x"])
            return present

    def test_status_says_in_words_what_an_acknowledgement_promises(self):
        for settings, mode, words in (("", "durable", "on disk"), (RELAXED, "relaxed", "within 50 ms"),
                                      (MEMORY, "memory", "end with the process")):
            with self.subTest(mode=mode):
                broker = self.start(settings)
                status = broker.ask("GET", "/status")
                self.assertEqual(status["durability"]["mode"], mode)
                self.assertIn(words, status["durability"]["meaning"])
                self.assertIn(words, broker.out_text())
                self.assertIn(words, broker.cli("status").stdout)

    def test_memory_ends_with_the_process_and_leaves_what_was_kept_alone(self):
        broker = self.start("")
        self.keep(broker)
        broker.stop()
        durable = broker.config.read_text()
        broker.config.write_text(durable + MEMORY)
        broker.start()
        self.assertIn("E5306", broker.out_text())
        self.assertFalse(self.is_kept(broker))
        broker.kill()
        broker.config.write_text(durable)
        broker.start()
        self.assertTrue(self.is_kept(broker))

    def test_relaxed_keeps_what_is_older_than_its_bound(self):
        broker = self.start(RELAXED)
        self.keep(broker)
        folder = broker.data
        eventually(lambda: b"kept" in (folder / "messages.db-wal").read_bytes(), "the batch is written")
        broker.kill()
        broker.start()
        self.assertTrue(self.is_kept(broker))

    def test_a_listener_may_promise_less_than_the_broker(self):
        more = "".join(f"""
[listener.{name}]
protocol = "mqtt"
bind = "127.0.0.1:0"
anonymous_policy_file = "allow.json"
durability = "{name}"
failed_connects_per_minute_per_address = 100000
""" for name in ("relaxed", "memory"))
        broker = self.start(more)
        status = {l["name"]: l for l in broker.ask("GET", "/status")["listeners"]}
        self.assertEqual(status["plain"]["durability"], "durable")
        self.assertEqual(status["relaxed"]["durability"], "relaxed")
        self.assertIn("end with the process", status["memory"]["durability_meaning"])
        self.assertIn("end with the process", broker.cli("status").stdout)
        for name in ("plain", "relaxed", "memory"):
            with Client(broker.port(name)) as client:
                client.connect(name, clean=False)
                client.subscribe("t", qos=1)
                client.disconnect()
        sessions = {s["client_id"]: s for s in broker.items("/sessions")}
        self.assertEqual({n: s["durability"] for n, s in sessions.items()},
                         {"plain": "durable", "relaxed": "relaxed", "memory": "memory"})
        with Client(broker.port("plain")) as client:
            client.connect("sender")
            client.publish("t", b"x", 1)
        shown = broker.ask("GET", "/sessions/" + sessions["memory"]["id"])
        self.assertEqual(shown["queued_messages"], 1)
        self.assertEqual(shown["dropped"], {"quota": 0, "expired": 0, "denied": 0, "slow_reader": 0})
        broker.stop()
        broker.start()
        for name, kept in (("plain", True), ("relaxed", True), ("memory", False)):
            with Client(broker.port(name)) as client:
                self.assertEqual(client.connect(name, clean=False), kept, name)
                if kept:
                    self.assertEqual(client.message().payload, b"x")

    def test_another_program_may_read_the_databases_meanwhile(self):
        broker = self.start("")
        for name in ("messages.db", "registry.db"):
            other = sqlite3.connect(broker.data / name)
            other.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            other.close()  # the last connection of a database takes its write-ahead log away
            self.assertTrue((broker.data / f"{name}-wal").exists(), name)
        self.keep(broker)
        broker.kill()
        broker.start()
        self.assertTrue(self.is_kept(broker))

    def test_a_damaged_store_is_set_aside_and_the_broker_starts(self):
        broker = self.start("")
        self.keep(broker)
        broker.stop()
        with open(broker.data / "messages.db", "r+b") as file:
            file.seek(0)
            file.write(b"this is no database any more")
        broker.start()
        self.assertIn("E5302", broker.out_text())
        self.assertIn("lost:", broker.out_text())
        self.assertIn("E5302", json.dumps(broker.ask("GET", "/status")["warnings"]))
        self.assertFalse(self.is_kept(broker))
        self.assertEqual(len(list(broker.data.glob("messages.db.damaged-*Z"))), 1)
        broker.stop()
        broker.start()
        self.assertNotIn("E5302", broker.out_text())

    def test_a_store_of_a_newer_format_refuses_the_start(self):
        broker = self.start("")
        broker.stop()
        with open(broker.data / "messages.db", "r+b") as file:
            file.seek(60)  # user_version
            file.write(struct.pack(">I", 99))
        code, said = broker.fails()
        self.assertNotEqual(code, 0)
        self.assertIn("E5312", said)
        self.assertIn("format 99", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
