"""Statements of the standard that need a clock or many messages, over real sockets (docs/conformance.md)."""
import contextlib
import fcntl
import socket
import struct
import termios
import time
import unittest

from harness import PlainBrokerTest, eventually
from tiny_mqtt import PUBACK, PUBLISH, packet, publish_packet


class Conformance(PlainBrokerTest):
    def pour(self, pub, topic, payload, first, count):
        """`count` messages of QoS 1, sent in one piece; returns when all are acknowledged."""
        pub.send(b"".join(publish_packet(topic, payload, 1, packet_id=first + i) for i in range(count)))
        for i in range(count):
            self.assertEqual(pub.expect(PUBACK), struct.pack("!H", first + i))

    def test_identifiers_in_flight_are_not_given_again_over_a_full_turn(self):
        """[MQTT-2.3.1-4] [MQTT-2.3.1-1] The first message stays unacknowledged while 66,000 pass."""
        sub, pub = self.client("s", clean=False), self.client("p")
        sub.subscribe("turn", qos=1)
        pub.publish("turn", b"first", 1)
        held = sub.read()
        self.assertEqual(held[0], PUBLISH)
        held_id, seen = held[2][6:8], set()
        for _ in range(660):
            self.pour(pub, "turn", b"x", 1, 100)
            for _ in range(100):
                kind, _, body = sub.read()
                self.assertEqual(kind, PUBLISH)
                number = body[6:8]
                self.assertNotIn(number, (held_id, b"\0\0"))
                seen.add(number)
                sub.send(packet(PUBACK, 0, number))
        self.assertEqual(len(seen), 65534, "every other identifier was in use: a full turn")

    def test_a_reader_that_is_stuck_still_publishes(self):
        """[MQTT-4.3.2-2] Deliveries that it does not take hold up neither its messages nor its PUBACKs."""
        stuck, pub, watcher = self.client("stuck"), self.client("p"), self.client("w")
        stuck.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stuck.subscribe("flood", qos=1)
        watcher.subscribe("out", qos=0)
        payload = b"x" * 100_000
        for _ in range(3):
            self.pour(pub, "flood", payload, 1, 30)
        numbers = range(1, 51)
        for number in numbers:
            stuck.send(publish_packet("out", b"still here", 1, packet_id=number))
        for _ in numbers:
            self.assertEqual(watcher.message().payload, b"still here")
        waiting = struct.unpack("i", fcntl.ioctl(stuck.sock, termios.FIONREAD, bytes(4)))[0]
        self.assertLess(waiting, 30 * len(payload), "nothing was stuck")
        answers = [stuck.expect(PUBACK) for _ in numbers]
        self.assertEqual(answers, [struct.pack("!H", number) for number in numbers])

    def ended_after(self, name, begin, step):
        """Seconds until Keep Alive 1 ends a client that began with `begin` while `step` is done every 200 ms."""
        watcher = self.client(f"{name}-watcher")
        watcher.subscribe(f"{name}/will")
        client = self.client(name, keep_alive=1, will=(f"{name}/will", b"gone", 0, False))
        begin(client)
        began = time.monotonic()

        def gone():
            step(client)
            time.sleep(0.2)  # often within a Keep Alive of 1 s, so that it would be fed
            return watcher.messages()
        # Far below the 30 s that a packet may take.
        eventually(gone, f"the will of {name} comes", 20)
        return time.monotonic() - began

    def test_keep_alive_is_not_fed_by_what_the_client_is_sent(self):
        """[MQTT-3.1.2-24]"""
        pub = self.client("p")
        seconds = self.ended_after("hears", lambda client: client.subscribe("hears/t"),
                                   lambda _: pub.publish("hears/t", b"x"))
        self.assertGreater(seconds, 1.4)

    def test_keep_alive_is_not_fed_by_bytes_of_an_unfinished_packet(self):
        """[MQTT-3.1.2-24]"""
        def one_more(client):
            with contextlib.suppress(OSError):  # closed meanwhile: what is waited for
                client.send(b"x")
        seconds = self.ended_after("trickles", lambda client: client.send(b"\x30\x7f"), one_more)
        self.assertGreater(seconds, 1.4)


if __name__ == "__main__":
    unittest.main()
