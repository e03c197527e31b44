"""The end of a class reaches connections that are up, and an extension lets the same certificates back in.

The broker's clock is put shortly before midnight UTC (IOTSKY_CLOCK names the library that does it).
"""
import datetime
import os
import time
import unittest

from harness import Broker, Identity, eventually
from tiny_mqtt import Client, Closed, tls_context

BEFORE_MIDNIGHT_S = 25  # to start a broker, make a class with a thing and connect, also on a busy machine
READ_ALL = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iot:Connect", "iot:Subscribe", "iot:Receive"], "Resource": "*"}]}


class ClassEnd(unittest.TestCase):
    def setUp(self):
        real = datetime.datetime.now(datetime.timezone.utc)
        midnight = datetime.datetime.combine(real.date() + datetime.timedelta(days=1), datetime.time(),
                                             datetime.timezone.utc)
        self.today = real.date()
        self.midnight = time.monotonic() + BEFORE_MIDNIGHT_S
        offset = int((midnight - real).total_seconds()) - BEFORE_MIDNIGHT_S
        self.broker = Broker(environment={"LD_PRELOAD": os.environ["IOTSKY_CLOCK"],
                                          "IOTSKY_TEST_CLOCK_OFFSET_S": str(offset),
                                          "ASAN_OPTIONS": "verify_asan_link_order=0"})
        self.broker.__enter__()
        self.addCleanup(lambda: self.broker.__exit__(None, None, None))

    def connect(self, identity, name, **options):
        client = Client(self.broker.port(), tls_context(identity))
        self.addCleanup(client.sock.close)
        client.present = client.connect(name, **options)
        return client

    def test_the_last_day_ends_connections_without_a_will_and_an_extension_lets_them_back_in(self):
        self.broker.make_class("7b", ends_on=str(self.today), grace_days=14)
        self.broker.make_class("8a")
        thing = self.broker.make_thing("7b/otter/weather")
        service = self.broker.ask("POST", "/certificates", {"service": "watch", "policy": READ_ALL})
        watch = self.connect(Identity(self.broker.root / "watch", "service", service), "watch")
        self.assertEqual(watch.subscribe("#"), [0])
        device = self.connect(thing, "device", clean=False, will=("$me/status", b"offline", 1, False))
        device.publish("$me/temp", b"21", 1)
        self.assertLess(time.monotonic(), self.midnight, "this machine is too busy for the test")
        device.wait_closed(BEFORE_MIDNIGHT_S + 30)
        late = time.monotonic() - self.midnight
        print(f"\nclosed {late:+.1f} s after the end of the class", flush=True)
        self.assertGreater(late, -2)  # the clock's seconds are whole
        self.assertLess(late, 10)
        self.assertEqual([(m.topic, m.payload) for m in watch.until(b"21")], [("7b/otter/weather/temp", b"21")])
        self.assertEqual(self.broker.ask("GET", "/classes/7b")["state"], "grace")

        with Client(self.broker.port(), tls_context(thing)) as again:
            again.connect("device", code=5)
            self.assertRaises(Closed, again.read)
        eventually(lambda: [r for r in self.broker.items("/refusals") if r["code"] == "E2102"],
                   "the refusal names the class")

        until = str(self.today + datetime.timedelta(days=7))
        self.broker.cli("class", "extend", "7b", "--until", until)
        back = self.connect(thing, "device", clean=False)
        self.assertTrue(back.present)
        back.publish("$me/temp", b"22", 1)
        self.assertEqual([m.payload for m in watch.until(b"22")], [b"22"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
