"""A backup on a disk that is slow or full: it holds nobody up, ends with the broker, and leaves nothing that is not whole."""
import os
import time
import unittest

from harness import Broker, eventually
from tiny_mqtt import Client

RETAINED, PAYLOAD = 100, os.urandom(200 << 10)  # 20 MB, 5000 pages
SLOW_MS = 2  # of each page of the copy: 10 s and more


class UnrulyDiskTest(unittest.TestCase):
    def setUp(self):
        self.broker = Broker(plain=True)
        self.switch = self.broker.root / "switch"
        # tests/system/crash/unruly_disk.cpp
        self.broker.environment |= {"LD_PRELOAD": os.environ["IOTSKY_UNRULY_DISK"],
                                    "UNRULY_ROOT": str(self.broker.data), "UNRULY_SWITCH": str(self.switch),
                                    "UNRULY_SLOW": ".partial", "UNRULY_SLOW_MS": str(SLOW_MS)}
        self.broker.__enter__()
        self.addCleanup(lambda: self.broker.__exit__(None, None, None))
        self.shelf = self.broker.data / "backup"

    def client(self, name):
        client = Client(self.broker.port("plain"))
        self.addCleanup(client.sock.close)
        client.connect(name)
        return client

    def fill(self):
        client = self.client("filler")
        for n in range(RETAINED):
            client.publish(f"kept/{n}", PAYLOAD, 1, retain=True)
        client.disconnect()

    def begin(self):
        """Begins a backup; returns when a megabyte of it is written."""
        name = self.broker.ask("POST", "/backups", {"passphrase": ""})["name"]
        copy = self.shelf / f"{name}.backup.partial.db"
        eventually(lambda: copy.exists() and copy.stat().st_size > 1 << 20, "the copy grows")
        return name

    def state(self, name):
        return self.broker.ask("GET", f"/backups/{name}")["state"]

    def test_the_broker_stops_in_time_while_a_long_backup_is_made(self):
        self.fill()
        name = self.begin()
        self.assertEqual(self.state(name), "running")
        self.assertLess(self.broker.stop(), 2)
        self.assertEqual(list(self.shelf.iterdir()), [])

    def test_publishers_and_the_registry_are_not_held_up_by_a_long_backup(self):
        self.fill()
        client = self.client("publisher")
        began = time.monotonic()
        name = self.begin()
        longest, published = 0, 0
        while self.state(name) == "running":
            before = time.monotonic()
            client.publish("live", PAYLOAD, 1)
            self.broker.ask("POST", "/classes", {"name": f"c{published}"})
            longest = max(longest, time.monotonic() - before)
            published += 1
        took = time.monotonic() - began
        self.assertEqual(self.state(name), "done")
        self.assertGreater(took, RETAINED * len(PAYLOAD) / 4096 * SLOW_MS / 1000)  # the layer was there
        self.assertLess(longest, took / 4)
        self.broker.cli("backup", "verify", self.shelf / f"{name}.backup")

    def test_what_a_killed_broker_left_of_a_backup_is_gone_at_the_next_start(self):
        name = self.broker.ask("POST", "/backups", {"passphrase": ""})["name"]
        eventually(lambda: self.state(name) == "done", "a backup is made")
        self.fill()
        self.begin()
        self.broker.kill()
        self.assertGreater(len(list(self.shelf.glob("*.partial*"))), 0)
        self.broker.start()
        self.assertEqual([f.name for f in self.shelf.iterdir()], [f"{name}.backup"])
        self.broker.cli("backup", "verify", self.shelf / f"{name}.backup")

    def test_a_full_disk_is_told_with_its_number_and_leaves_nothing(self):
        for what in (".partial", ".partial.db"):
            with self.subTest(what):
                self.switch.write_text(f"full {what}")
                refused = self.broker.cli("backup", "create", "--i-know-it-is-not-encrypted", code=1)
                self.assertIn("E5103", refused.stderr)
                self.assertEqual(list(self.shelf.iterdir()), [])
        self.switch.write_text("")
        self.broker.cli("backup", "create", "--i-know-it-is-not-encrypted")
        self.assertEqual(len(list(self.shelf.iterdir())), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
