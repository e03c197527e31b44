"""Start and stop: an empty folder works, and what must not start says why and names the culprit."""
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import tempfile
import time
import unittest

from harness import FOLDER, IOTSKY, TLS_LISTENER, Answer, Broker, BrokerTest, eventually
from tiny_mqtt import CONNACK, Client, Closed, connect_packet, tls_context


class Start(unittest.TestCase):
    def refused(self, broker, *words):
        code, said = broker.fails()
        self.addCleanup(broker.clean)
        self.assertNotEqual(code, 0, said)
        for word in words:
            self.assertIn(word, said)
        if broker.data.parent == broker.root:  # else it is of the broker that has the folder
            self.assertFalse((broker.data / "endpoints.json").exists(), said)
        return said

    def test_empty_folder_is_set_up_and_told(self):
        with Broker() as broker:
            said = broker.out_text()
            self.assertIn("CA fingerprint", said)
            self.assertIn("mqtts", said)
            self.assertRegex(said, r"TLS, client certificate required")
            told = broker.endpoints()
            self.assertEqual((told["version"], told["pid"]), (1, broker.process.pid))
            self.assertTrue(os.path.exists(told["ca_file"]))
            keys = [p for p in broker.data.rglob("*") if p.is_file() and b"PRIVATE KEY" in p.read_bytes()]
            self.assertTrue(keys)
            for key in keys:
                self.assertEqual(stat.S_IMODE(key.stat().st_mode), 0o600, key)

    def test_sigterm_ends_it_with_0_within_2_s(self):
        with Broker(plain=True) as broker:
            clients = [Client(broker.port("plain")) for _ in range(20)]
            for i, client in enumerate(clients):
                client.connect(f"c{i}", clean=False, will=("will", b"x", 1, False))
            took = broker.stop()
            print(f"\nended {took:.2f} s after SIGTERM", flush=True)
            self.assertLess(took, 2.0 + 1.0)  # a second for a machine that runs other tests
            for client in clients:
                client.wait_closed()
                client.sock.close()
            self.assertFalse((broker.data / "endpoints.json").exists())
            broker.start()  # and it starts again on the same folder
            first = broker.http("GET", "//ca.crt").body
            broker.stop()
            broker.start()
            self.assertEqual(broker.http("GET", "//ca.crt").body, first)

    def holder(self, broker):
        """The process that holds the folder, by its lock file; 0: none yet."""
        lock = broker.data / "lock"
        return int(lock.read_text().strip() or 0) if lock.exists() else 0

    def test_sigterm_before_ready_ends_it_with_0(self):
        with Broker() as broker:
            broker.stop()
            for number in signal.SIGTERM, signal.SIGINT:
                # It cannot get ready while its registry is busy.
                registry = sqlite3.connect(broker.data / "registry.db", isolation_level=None)
                registry.execute("BEGIN IMMEDIATE")
                broker.spawn()
                eventually(lambda: self.holder(broker) == broker.process.pid, "the folder is held")
                broker.process.send_signal(number)
                registry.close()
                self.assertEqual(broker.process.wait(60), 0, broker.log_text())
                self.assertNotIn("ready", broker.out_text().splitlines())
                self.assertFalse((broker.data / "endpoints.json").exists())
            broker.start()

    def test_a_set_up_that_sigterm_ends_is_finished_by_the_next_start(self):
        broker = Broker()
        self.addCleanup(broker.clean)
        broker.spawn()
        eventually(lambda: self.holder(broker), "the folder is held")
        broker.process.send_signal(signal.SIGTERM)
        self.assertEqual(broker.process.wait(60), 0, broker.log_text())
        with broker:
            self.assertTrue((broker.data / "admin.token").exists())

    def test_sighup_before_ready_is_kept_until_then(self):
        with Broker() as broker:
            broker.stop()
            registry = sqlite3.connect(broker.data / "registry.db", isolation_level=None)
            registry.execute("BEGIN IMMEDIATE")
            broker.spawn()
            eventually(lambda: self.holder(broker) == broker.process.pid, "the folder is held")
            broker.process.send_signal(signal.SIGHUP)
            registry.close()
            eventually(broker.is_ready, "the broker says ready")
            eventually(lambda: "configuration reloaded" in broker.log_text(), "the reload")

    def test_a_taken_port_names_its_owner(self):
        with Broker() as owner:
            other = Broker(config=TLS_LISTENER.replace("127.0.0.1:0", f"127.0.0.1:{owner.port()}"))
            self.refused(other, "E1101", str(owner.port()), f"{owner.process.pid}")
            for listener in "mqtts", "http":  # both name it alike
                config = TLS_LISTENER + f'[listener.x]\nprotocol = "{listener}"\nbind = "127.0.0.1:{owner.port()}"\n'
                self.refused(Broker(config=config), f"Port {owner.port()} is already used by iotsky",
                             f"pid {owner.process.pid}")

    def test_a_new_address_reissues_the_server_certificate_and_is_told(self):
        with Broker() as broker:
            broker.make_class("7b")
            thing = broker.make_thing("7b/otter/weather")
            broker.stop()
            text = broker.config.read_text()
            broker.config.write_text(text.replace('["127.0.0.1"]', '["127.0.0.1", "10.20.0.9"]'))
            broker.start()
            told = "W1105 10.20.0.9 was not in the server certificate"
            for said in broker.out_text(), str(broker.ask("GET", "/status")["warnings"]):
                self.assertIn(told, said.replace('"', ""))
            broker.wait_for_log(told)
            with Client(broker.port(), tls_context(thing)) as client:  # its CA is the same
                client.connect("a")
            broker.stop()
            broker.start()
            self.assertNotIn("W1105", broker.out_text())

    def test_a_second_broker_on_the_folder_is_refused(self):
        with Broker() as owner:
            second = Broker(data=owner.data)
            self.refused(second, "E1157", str(owner.data), f"pid {owner.process.pid}")
            self.assertEqual(owner.http("GET", "/health/ready").status, 200)

    def test_a_wrong_configuration_is_refused_with_position_and_nearest_name(self):
        said = self.refused(Broker(config=TLS_LISTENER.replace("bind =", "bnd =")), "iotsky.toml", "bnd",
                            "bind")
        self.assertRegex(said, r"iotsky\.toml:11")
        self.refused(Broker(config=TLS_LISTENER.replace('"mqtts"', '"mqtt5"')), "iotsky.toml", "mqtts")
        self.refused(Broker(config="[listener.a\n"), "iotsky.toml")
        self.refused(Broker(config=TLS_LISTENER, environment={"IOTSKY_LIMITS__INFLIGHT_MAX": "0"}),
                     "inflight_max", "16384")

    def test_config_check_says_the_same(self):
        broker = Broker(config=TLS_LISTENER.replace("bind =", "bnd ="))
        self.addCleanup(broker.clean)
        done = subprocess.run([IOTSKY, "config", "check", "--config", broker.config], capture_output=True,
                              text=True)
        self.assertEqual(done.returncode, 8, done.stdout + done.stderr)
        self.assertIn("bind", done.stdout + done.stderr)

    def test_plain_mqtt_off_loopback_needs_insecure(self):
        config = TLS_LISTENER + '[listener.open]\nprotocol = "mqtt"\nbind = "0.0.0.0:0"\n'
        self.refused(Broker(config=config), "insecure")
        with Broker(config=config + "insecure = true\n") as broker:
            self.assertIn("WARNING", broker.out_text())

    def damaged(self, damage, words):
        """A folder that worked, after damage(folder); the start must name a file."""
        with Broker() as broker:
            broker.make_class("7b")
            broker.stop()
            name = damage(broker.data)
            code, said = broker.fails()
            self.assertNotEqual(code, 0, said)
            for word in (name, *words):
                self.assertIn(word, said)

    def key_file(self, data):
        return sorted(p for p in data.rglob("*") if p.is_file() and b"PRIVATE KEY" in p.read_bytes())[0]

    def test_a_key_that_others_can_read_is_refused_by_name(self):
        def open_to_all(data):
            key = self.key_file(data)
            key.chmod(0o644)
            return key.name
        self.damaged(open_to_all, ["chmod"])

    def test_a_half_written_key_is_refused_by_name(self):
        def cut(data):
            key = self.key_file(data)
            key.write_bytes(key.read_bytes()[:60])
            return key.name
        self.damaged(cut, [])

    def test_a_damaged_registry_is_refused_by_name(self):
        def cut(data):
            (data / "registry.db").write_bytes(b"not a database" * 100)
            return "registry.db"
        self.damaged(cut, [])

    # A mode keeps nobody out who runs the tests as root, as a container mostly does.
    @unittest.skipIf(os.geteuid() == 0, "root reads everything")
    def test_an_unreadable_configuration_is_refused_by_name(self):
        broker = Broker()
        broker.config.chmod(0)
        self.refused(broker, "iotsky.toml")


class SetUp(unittest.TestCase):
    def setup(self, *args, code=0):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="iotsky-", dir=FOLDER))
        self.addCleanup(shutil.rmtree, folder, True)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        done = subprocess.run([IOTSKY, "--data", folder / "data", "setup", "--mqtt-port", str(port), *args],
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return folder / "data", port, done.stdout

    def test_setup_ends_with_a_self_test(self):
        data, port, said = self.setup("--address", "127.0.0.1", "--name", "school.example")
        rows = [line.strip() for line in said.splitlines() if line.startswith("  \u2713")]
        self.assertEqual([row.split(" in ")[0][2:] for row in rows], [
            "TLS 1.3", "TLS 1.2", "ESP8266 profile (512-byte records)", "clock-less profile",
            f"publish -> subscribe through 127.0.0.1:{port}"])
        self.assertRegex(rows[-1], r" in \d+ ms$")
        # Nothing of it stays: the registry is empty, and the folder serves.
        with Broker(data=data, config=TLS_LISTENER.replace('"localhost"', '"school.example"')) as broker:
            self.assertEqual(broker.items("/certificates"), [])
            self.assertEqual(broker.items("/classes"), [])

    def test_the_self_test_as_json(self):
        said = json.loads(self.setup("--address", "127.0.0.1", "--json")[2])
        self.assertEqual([row["passed"] for row in said["self_test"]], [True] * 5)
        self.assertIn("firewall", said)

    def test_an_address_that_is_not_here_yet_is_tested_by_name_over_loopback(self):
        said = self.setup("--address", "192.0.2.1")[2]
        self.assertIn("through 127.0.0.1:", said)


class Doctor(BrokerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.thing = cls.broker.make_thing("7b/otter/weather")

    def told(self, code):
        row = eventually(lambda: [h for h in self.broker.items("/handshakes") if h["code"] == code],
                         f"a failed handshake {code}")[0]
        self.assertTrue(row["why"] and row["hint"])
        eventually(lambda: code in self.broker.log_text(), f"{code} in the log")
        return row

    def test_plain_mqtt_on_the_tls_port(self):
        with Client(self.broker.port()) as client:
            client.send(connect_packet("a"))
            self.assertEqual(client.read(), (CONNACK, 0, b"\0\5"))
            self.assertRaises(Closed, client.read)
        self.assertTrue(self.told("E3201")["address"].startswith("127.0.0.1"))

    def test_a_client_that_does_not_know_our_ca(self):
        import ssl
        context = ssl.create_default_context()
        self.assertRaises(ssl.SSLError, Client, self.broker.port(), context)
        self.assertEqual(self.told("E3202")["sni"], "localhost")

    def test_a_client_without_a_certificate(self):
        import ssl
        with self.assertRaises((ssl.SSLError, Closed, ConnectionError)):
            Client(self.broker.port(), tls_context(self.thing, "1.2", certificate=False))
        self.told("E3203")

    def test_tokens_and_the_loopback_port(self):
        import urllib.error
        import urllib.request
        config = TLS_LISTENER + '[listener.api]\nprotocol = "http"\nbind = "127.0.0.1:0"\n'
        with Broker(config=config) as broker:
            url = f"http://127.0.0.1:{broker.port('api')}/api/v1/classes"
            with self.assertRaises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(url)
            self.assertEqual(caught.exception.code, 401)
            self.assertEqual(json.load(caught.exception)["code"], "E4115")
            token = (broker.data / "admin.token").read_text().strip()
            self.assertEqual(stat.S_IMODE((broker.data / "admin.token").stat().st_mode), 0o600)
            good = {"Authorization": f"Bearer {token}"}
            with urllib.request.urlopen(urllib.request.Request(url, headers=good)) as answer:
                self.assertEqual(json.load(answer)["items"], [])
            for header in {"Host": "evil.example"}, {"Origin": "https://evil.example"}:
                with self.assertRaises(urllib.error.HTTPError) as caught:
                    urllib.request.urlopen(urllib.request.Request(url, headers={**good, **header}))
                self.assertIn(caught.exception.code, (421, 403))
            self.assertFalse(re.search(re.escape(token), broker.log_text()))

    def test_after_five_wrong_tokens_the_address_waits_and_is_told_how_long(self):
        config = TLS_LISTENER + '[listener.api]\nprotocol = "http"\nbind = "127.0.0.1:0"\n'
        with Broker(config=config) as broker:
            def ask(token):
                connection = http.client.HTTPConnection("127.0.0.1", broker.port("api"), timeout=60)
                connection.request("GET", "/api/v1/classes", headers={"Authorization": f"Bearer {token}"})
                answer = Answer(connection.getresponse())
                connection.close()
                return answer
            admin = (broker.data / "admin.token").read_text().strip()
            other = broker.ask("POST", "/tokens", {"name": "new", "role": "admin"})["token"]
            self.assertEqual(ask(admin).status, 200)
            self.assertEqual([ask(f"iot_wrong{i}").status for i in range(5)], [401] * 5)
            held = ask(other)
            self.assertEqual((held.status, held.json["code"]), (429, "E4119"))
            self.assertEqual(held.headers["Content-Type"], "application/problem+json")
            wait = int(held.headers["Retry-After"])
            self.assertIn(f"{wait} s", held.json["hint"])
            self.assertEqual(ask(admin).status, 200)  # was right before
            self.assertEqual(broker.http("GET", "/classes").status, 200)  # the socket needs none
            time.sleep(wait)  # as long as the answer says, and no longer
            self.assertEqual(ask(other).status, 200)
            broker.wait_for_log("E4119")


if __name__ == "__main__":
    unittest.main(verbosity=2)
