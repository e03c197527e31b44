"""A client that asks for records of 512 bytes (max_fragment_length) gets none that is longer.

openssl s_client is the client; a proxy between it and the broker reads the headers of the records.
"""
import os
import socket
import struct
import subprocess
import threading
import unittest

from harness import Broker
from tiny_mqtt import SUBSCRIBE, Client, connect_packet, packet, text, tls_context

PLAIN_MAX = 512
AROUND = 8 + 16 + 1  # nonce and tag of AES-GCM in TLS 1.2; tag and type in 1.3
PAYLOAD = 32 * 1024 - 16


class RecordProxy:
    """Forwards one connection to `port` and notes the length of every record that comes from there."""

    def __init__(self, port):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.records = []
        self.target = port
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with self.listener:
            client, _ = self.listener.accept()
        broker = socket.create_connection(("127.0.0.1", self.target))
        threading.Thread(target=self.forward, args=(client, broker, None), daemon=True).start()
        self.forward(broker, client, self.note)

    @staticmethod
    def forward(source, target, note):
        try:
            while data := source.recv(65536):
                if note:
                    note(data)
                target.sendall(data)
        except OSError:
            pass
        finally:
            source.close()
            target.close()

    left = b""

    def note(self, data):
        self.left += data
        while len(self.left) >= 5:
            size = struct.unpack_from("!H", self.left, 3)[0]
            if len(self.left) < 5 + size:
                return
            self.records.append((self.left[0], size))
            self.left = self.left[5 + size:]


class Records(unittest.TestCase):
    def test_records_are_as_short_as_the_client_asks_with_payloads_of_32_KiB(self):
        with Broker() as broker:
            broker.make_class("7b")
            small, sender = broker.make_thing("7b/otter/small"), broker.make_thing("7b/otter/sender")
            for version, option in ("1.2", "-tls1_2"), ("1.3", "-tls1_3"):
                with self.subTest(version=version):
                    self.exchange(broker, small, sender, option)

    def exchange(self, broker, small, sender, option):
        proxy = RecordProxy(broker.port())
        client = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{proxy.port}", "-maxfraglen", str(PLAIN_MAX), option,
             "-CAfile", small.ca, "-cert", small.crt, "-key", small.key, "-quiet", "-verify_return_error"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(client.communicate)
        self.addCleanup(client.kill)
        subscribe = packet(SUBSCRIBE, 2, b"\0\1" + text("7b/commons/#") + b"\0")
        client.stdin.write(connect_packet("small") + subscribe)
        client.stdin.flush()
        self.assertEqual(self.read(client, 4 + 5), b"\x20\x02\0\0" + b"\x90\x03\0\1\0")

        payload = os.urandom(PAYLOAD)
        with Client(broker.port(), tls_context(sender)) as other:
            other.connect("sender")
            for _ in range(3):
                other.publish("7b/commons/large", payload, 1)
        for _ in range(3):
            self.assertIn(payload, self.read(client, 1 + 3 + 2 + len("7b/commons/large") + PAYLOAD))
        longest = max(size for kind, size in proxy.records)
        print(f"\n{option}: {len(proxy.records)} records, the longest {longest} bytes", flush=True)
        self.assertGreater(len(proxy.records), 3 * PAYLOAD // PLAIN_MAX)
        self.assertLessEqual(longest, PLAIN_MAX + AROUND)

    @staticmethod
    def read(client, size):
        data = b""
        while len(data) < size:
            more = client.stdout.read1(size - len(data))
            if not more:
                raise AssertionError(f"the client ended after {len(data)} of {size} bytes")
            data += more
        return data


if __name__ == "__main__":
    unittest.main(verbosity=2)
