"""The first lesson: foreign clients with exactly the returned PEMs talk over mutual TLS."""
import queue
import ssl
import unittest

import paho.mqtt.client as paho

from harness import BrokerTest, MosquittoSub, mosquitto_pub

VERSIONS = {"tlsv1.2": ssl.TLSVersion.TLSv1_2, "tlsv1.3": ssl.TLSVersion.TLSv1_3}


class Lesson(BrokerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.weather = cls.broker.make_thing("7b/otter/weather", key_type="p256")
        cls.door = cls.broker.make_thing("7b/heron/door", key_type="rsa2048")

    def paho_client(self, identity, version):
        client = paho.Client(clean_session=True)
        client.tls_set(str(identity.ca), str(identity.crt), str(identity.key))
        context = client._ssl_context  # paho 1.6 takes no range of versions
        context.minimum_version = context.maximum_version = VERSIONS[version]
        heard, ready = queue.Queue(), queue.Queue()
        client.on_message = lambda _c, _u, message: heard.put((message.topic, message.payload))
        client.on_subscribe = lambda _c, _u, _mid, codes: ready.put(codes)
        client.on_connect = lambda c, _u, _flags, code: ready.put(code)
        client.connect("127.0.0.1", self.broker.port())
        client.loop_start()
        self.addCleanup(client.loop_stop)
        self.addCleanup(client.disconnect)
        self.assertEqual(ready.get(timeout=60), 0)
        return client, heard, ready

    def test_mosquitto_clients_talk_both_ways(self):
        port = self.broker.port()
        for version in VERSIONS:
            for sender, receiver in (self.weather, self.door), (self.door, self.weather):
                with self.subTest(version=version, sender=sender.path):
                    tls = ["--tls-version", version]
                    sub = MosquittoSub(port, *receiver.mosquitto, *tls, "-q", "1", "-t", "7b/commons/#")
                    mosquitto_pub(port, *sender.mosquitto, *tls, "-q", "1", "-t", "7b/commons/hello",
                                  "-m", f"from {sender.path}")
                    self.assertEqual(sub.messages(), [("7b/commons/hello", f"from {sender.path}")])

    def test_paho_talks_both_ways(self):
        for version in VERSIONS:
            with self.subTest(version=version):
                a, heard_a, ready_a = self.paho_client(self.weather, version)
                b, heard_b, ready_b = self.paho_client(self.door, version)
                a.subscribe("7b/commons/#", 2)
                b.subscribe("7b/commons/#", 2)
                self.assertEqual((ready_a.get(timeout=60), ready_b.get(timeout=60)), ((2,), (2,)))
                a.publish("7b/commons/a", b"\x00\xff", 2)
                b.publish("7b/commons/b", b"two", 1)
                expected = {("7b/commons/a", b"\x00\xff"), ("7b/commons/b", b"two")}
                for heard in heard_a, heard_b:
                    self.assertEqual({heard.get(timeout=60) for _ in range(2)}, expected)

    def test_own_tree_has_a_short_name(self):
        sub = MosquittoSub(self.broker.port(), *self.weather.mosquitto, "-t", "7b/otter/#")
        mosquitto_pub(self.broker.port(), *self.weather.mosquitto, "-t", "$me/temp", "-m", "21.4")
        self.assertEqual(sub.messages(), [("7b/otter/weather/temp", "21.4")])

    def test_a_certificate_request_of_the_device_is_enough(self):
        import subprocess
        key, request = self.broker.root / "own.key", self.broker.root / "own.csr"
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=lamp"],
                       check=True, capture_output=True)
        answer = self.broker.ask("POST", "/things", {"class": "7b", "project": "otter", "name": "lamp",
                                                     "csr": request.read_text()})
        self.assertNotIn("private_key", answer)
        crt = self.broker.root / "own.crt"
        crt.write_text(answer["certificate"]["pem"])
        mosquitto_pub(self.broker.port(), "--cafile", self.weather.ca, "--cert", crt, "--key", key,
                      "-q", "1", "-t", "$me/on", "-m", "1")

    def test_command_line_clients(self):
        self.broker.cli("thing", "create", "7b/otter/cli", "--out", self.broker.root / "cli")
        folder = ["--identity", self.broker.root / "cli", "--host", "127.0.0.1", "--port",
                  str(self.broker.port())]
        self.broker.cli("pub", "7b/commons/x", "hello", "--qos", "1", *folder)
        refused = self.broker.cli("pub", "7b/heron/door", "hello", "--qos", "1", *folder, code=4)
        self.assertIn("E3101", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
