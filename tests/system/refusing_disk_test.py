"""What people and clients see while the disk refuses: /health/ready says why, nothing is acknowledged that is not kept,
and all goes on by itself when the disk works again."""
import os
import unittest

from harness import Broker, eventually
from tiny_mqtt import PUBACK, Client, publish_packet

REFUSALS = (("full", "full"), ("read-only", "cannot be"))  # what the layer is told, what the broker says


class RefusingDisk(unittest.TestCase):
    def setUp(self):
        self.broker = Broker(plain=True)
        self.switch = self.broker.root / "switch"
        # tests/system/crash/unruly_disk.cpp
        self.broker.environment |= {"LD_PRELOAD": os.environ["IOTSKY_UNRULY_DISK"],
                                    "UNRULY_ROOT": str(self.broker.data), "UNRULY_SWITCH": str(self.switch)}
        self.broker.__enter__()
        self.addCleanup(lambda: self.broker.__exit__(None, None, None))

    def client(self, name, **options):
        client = Client(self.broker.port("plain"))
        self.addCleanup(client.sock.close)
        client.connect(name, **options)
        return client

    def ready(self):
        return self.broker.http("GET", "//health/ready")

    def not_ready(self):
        answer = self.ready()
        return answer if answer.status == 503 else None

    def test_ready_says_why_not_and_all_goes_on_when_the_disk_works_again(self):
        client = self.client("publisher")
        for number, (how, word) in enumerate(REFUSALS, 1):
            with self.subTest(how):
                self.assertEqual(self.ready().status, 200)
                self.switch.write_text(how)
                client.send(publish_packet("kept", how.encode(), 1, retain=True, packet_id=number))
                answer = eventually(self.not_ready, "not ready")
                self.assertEqual(answer.json["status"], "not_ready")
                self.assertIn(word, answer.json["why"])
                self.assertIn("not acknowledged", answer.json["why"])
                self.assertEqual(self.broker.http("GET", "//health/live").status, 200)
                self.assertEqual(self.broker.ask("GET", "/status")["not_ready_why"], answer.json["why"])
                self.client("persistent", clean=False, code=3)
                with self.assertRaises(TimeoutError):  # connected, and no PUBACK
                    client.read(0.3)
                self.switch.write_text("")
                self.assertEqual(client.expect(PUBACK), bytes([0, number]))
                eventually(lambda: self.ready().status == 200, "ready again")
                self.client("persistent", clean=False).disconnect()


if __name__ == "__main__":
    unittest.main(verbosity=2)
