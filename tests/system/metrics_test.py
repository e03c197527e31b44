"""The figures of /metrics are those of what happened."""
import re
import ssl
import unittest

from harness import TLS_LISTENER, Broker, BrokerTest, eventually
from tiny_mqtt import Client, Closed, tls_context, websocket_request


def samples(text):
    """{name{labels}: value} of the text format."""
    rows = (line.rpartition(" ") for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}


class Metrics(BrokerTest):
    options = {"config": TLS_LISTENER + """
[listener.idle]
protocol = "mqtts"
bind = "127.0.0.1:0"

[listener.ws]
protocol = "ws"
bind = "127.0.0.1:0"
""", "plain": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.thing = cls.broker.make_thing("7b/otter/weather")
        cls.other = cls.broker.make_thing("7b/otter/lamp")
        cls.lost = cls.broker.make_thing("7b/otter/lost")
        cls.broker.ask("POST", f"/certificates/{cls.lost.certificate['id']}:revoke", {})

    def setUp(self):
        eventually(lambda: sum(v for k, v in self.metrics().items() if k.startswith("iotsky_connections{")) == 0,
                   "the connections of the test before are gone")

    def metrics(self):
        return samples(self.broker.http("GET", "//metrics").body.decode())

    def client(self, name, identity=None):
        client = Client(self.broker.port() if identity else self.broker.port("plain"),
                        tls_context(identity) if identity else None)
        self.addCleanup(client.sock.close)
        client.connect(name)
        return client

    def grown(self, before, name, by=1):
        eventually(lambda: self.metrics().get(name, 0) - before.get(name, 0) == by, f"{by} more of {name}")

    def test_connections_and_connects_by_listener(self):
        before = self.metrics()
        self.client("a", self.thing)
        plain = self.client("b")
        self.grown(before, 'iotsky_connections{listener="mqtts",protocol="mqtts"}')
        self.grown(before, 'iotsky_connections{listener="plain",protocol="mqtt"}')
        self.assertEqual(self.metrics()['iotsky_connections{listener="idle",protocol="mqtts"}'], 0)
        self.grown(before, 'iotsky_connects_total{listener="mqtts",result="accepted",reason=""}')
        self.grown(before, 'iotsky_connects_total{listener="plain",result="accepted",reason=""}')
        plain.disconnect()
        self.grown(before, 'iotsky_connections{listener="plain",protocol="mqtt"}', 0)

    def test_refused_connects_by_reason(self):
        before = self.metrics()
        with Client(self.broker.port(), tls_context(self.lost)) as client:
            client.connect("a", code=5)
            self.assertRaises(Closed, client.read)
        self.grown(before, 'iotsky_connects_total{listener="mqtts",result="refused",reason="E3302"}')
        self.grown(before, 'iotsky_refusals_total{action="connect",reason="E3302"}')

    def test_what_is_no_connect_that_we_speak(self):
        before = self.metrics()
        with Client(self.broker.port("plain")) as client:
            client.send(b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x00\x00\x01a")  # MQTT 5
            client.sock.recv(4)
        self.grown(before, 'iotsky_connects_total{listener="plain",result="refused",reason="protocol"}')

    def test_payload_bytes(self):
        before = self.metrics()
        client = self.client("bytes")
        client.subscribe("bytes")
        client.publish("bytes", b"x" * 1000)
        self.assertEqual(len(client.message().payload), 1000)
        for direction in "received", "sent":
            self.grown(before, f'iotsky_publish_bytes_total{{direction="{direction}"}}', 1000)

    def test_commits(self):
        before = self.metrics()
        self.client("commits").publish("metrics/kept", b"x", 1, retain=True)
        eventually(lambda: self.metrics()["iotsky_store_commit_seconds_count"] >
                   before["iotsky_store_commit_seconds_count"], "a commit")

    def test_handshakes_by_fault_and_resumption(self):
        before = self.metrics()
        context = tls_context(self.thing, "1.2")
        first = Client(self.broker.port(), context)
        self.addCleanup(first.sock.close)
        first.connect("first")
        again = Client(self.broker.port(), context, session=first.sock.session)
        self.addCleanup(again.sock.close)
        self.assertTrue(again.sock.session_reused)
        with self.assertRaises((ssl.SSLError, Closed, ConnectionError)):
            Client(self.broker.port(), tls_context(self.thing, "1.2", certificate=False))
        row = 'iotsky_handshakes_total{listener="mqtts",result="%s",reason="%s",resumed="%s"}'
        self.grown(before, row % ("ok", "", "no"))
        self.grown(before, row % ("ok", "", "yes"))
        self.grown(before, row % ("failed", "no_certificate", "no"))
        self.grown(before, "iotsky_handshake_seconds_count", 2)

    def test_requests_for_websockets_are_no_handshakes(self):
        before = self.metrics()
        for path, status in ("/mqtt", b"101"), ("/other", b"404"):
            with Client(self.broker.port("ws")) as client:
                client.send(websocket_request(path))
                self.assertEqual(client.sock.recv(12)[-3:], status)
        row = 'iotsky_websockets_total{listener="ws",result="%s",reason="%s"}'
        self.grown(before, row % ("ok", ""))
        self.grown(before, row % ("failed", "ws_request"))
        after = self.metrics()
        self.assertFalse([name for name in after if "handshakes_total" in name and '"ws"' in name])
        self.assertEqual(after["iotsky_handshake_seconds_count"], before["iotsky_handshake_seconds_count"])

    def test_things_by_class_and_state(self):
        before = self.metrics()
        state = 'iotsky_things{class="7b",state="%s"}'
        self.assertEqual(before[state % "blocked"], 1)
        client = self.client("things", self.other)
        self.grown(before, state % "connected")
        self.assertEqual(sum(self.metrics()[state % s] for s in ("connected", "offline", "blocked")), 3)
        client.disconnect()
        self.grown(before, state % "connected", 0)

    def test_messages_refusals_and_what_is_in_flight(self):
        before = self.metrics()
        client = self.client("messages", self.thing)
        client.subscribe("$me/#", qos=1)
        client.publish("$me/x", b"12345", 1)
        client.publish("7b/heron/door", b"", 1)
        self.grown(before, 'iotsky_publish_received_total{qos="1"}', 2)
        self.grown(before, "iotsky_inflight_messages", 1)  # not acknowledged by this client
        self.grown(before, 'iotsky_refusals_total{action="publish",reason="E3101"}')
        row = 'iotsky_thing_messages_total{class="7b",thing="7b/otter/weather"}'
        eventually(lambda: self.metrics().get(row, 0) - before.get(row, 0) >= 3, "its messages")
        client.drop()
        eventually(lambda: self.metrics()["iotsky_inflight_messages"] == 0, "nothing in flight")
        self.assertGreaterEqual(self.metrics()[row] - before.get(row, 0), 3)  # kept when it left

    def test_take_overs_by_kind(self):
        before = self.metrics()
        self.client("same")
        self.client("same")
        self.grown(before, 'iotsky_session_takeovers_total{kind="same_board"}')
        self.grown(before, 'iotsky_session_takeovers_total{kind="clone"}', 0)

    def test_machine_and_certificates(self):
        found = self.metrics()
        self.assertGreaterEqual(found["iotsky_provisioning_seconds_count"], 3)
        self.assertGreater(found["iotsky_event_loop_lag_seconds_count"], 0)
        self.assertAlmostEqual(found['iotsky_certificate_expiry_seconds{kind="web"}'] / 86400, 397, delta=1)
        for kind in "server", "ca", "next_device":
            self.assertGreater(found[f'iotsky_certificate_expiry_seconds{{kind="{kind}"}}'], 86400)
        self.assertLess(abs(found["process_start_time_seconds"] - found["iotsky_start_time_seconds"]), 60)
        self.assertFalse([name for name in found if re.search(r'listener="all"', name)])


class FewThings(unittest.TestCase):
    def test_only_the_busiest_thing_has_a_row(self):
        with Broker(config=TLS_LISTENER + "[metrics]\nthings_max = 1\n") as broker:
            broker.make_class("7b")
            things = [broker.make_thing(f"7b/otter/{name}") for name in ("quiet", "busy")]
            for thing, messages in zip(things, (1, 3)):
                with Client(broker.port(), tls_context(thing)) as client:
                    client.connect(str(messages))
                    for _ in range(messages):
                        client.publish("$me/x", b"", 1)
            rows = [row for row in samples(broker.http("GET", "//metrics").body.decode()).items()
                    if row[0].startswith("iotsky_thing_messages_total")]
            self.assertEqual(rows, [('iotsky_thing_messages_total{class="7b",thing="7b/otter/busy"}', 3)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
