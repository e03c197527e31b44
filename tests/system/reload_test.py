"""A configuration that is read again: what can change does so on live connections, a wrong file changes nothing."""
import json
import signal
import unittest

from harness import ALLOW_ALL, PLAIN_LISTENER, TLS_LISTENER, OwnBrokerTest, eventually
from tiny_mqtt import Client

ONLY_A = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iot:Connect"], "Resource": "*"},
    {"Effect": "Allow", "Action": "iot:*", "Resource": ["arn:aws:iot:*:*:topic/a", "arn:aws:iot:*:*:topicfilter/a"]}]}


class Reload(OwnBrokerTest):
    options = {"plain": True}

    def setUp(self):
        super().setUp()
        self.policy = self.broker.root / "allow.json"

    def client(self, name):
        client = Client(self.broker.port("plain"))
        self.addCleanup(client.sock.close)
        client.connect(name)
        return client

    def write(self, text):
        self.broker.config.write_text(text.replace("{data}", str(self.broker.data)))

    def reload(self):
        return self.broker.ask("POST", "/config:reload", {})

    def test_a_policy_for_anonymous_clients_counts_for_those_who_are_in(self):
        client, other = self.client("a"), self.client("b")
        self.assertEqual(client.subscribe("b", "a", qos=0), [0, 0])
        self.policy.write_text(json.dumps(ONLY_A))
        self.assertEqual(self.reload(), {"changed": ["listener.plain.anonymous_policy_file"],
                                         "needs_restart": []})
        def refused():
            other.publish("b", b"x")
            return [r for r in self.broker.items("/refusals") if r["topic"] == "b"]
        eventually(refused, "the refusal of a topic that was allowed before")
        other.publish("a", b"y")
        self.assertEqual([m.topic for m in client.until(b"y") if m.payload == b"y"], ["a"])
        self.policy.write_text(json.dumps(ALLOW_ALL))
        self.reload()
        self.assertEqual(client.subscribe("c"), [0])

    def test_a_policy_taken_away_closes_those_who_are_in(self):
        client = self.client("a")
        self.write(TLS_LISTENER + PLAIN_LISTENER.replace('anonymous_policy_file = "allow.json"\n', ""))
        self.assertEqual(self.reload()["changed"], ["listener.plain.anonymous_policy_file"])
        client.wait_closed()
        with Client(self.broker.port("plain")) as again:
            again.connect("a", code=5)

    def test_keys_that_need_a_restart_are_named_and_left(self):
        port = self.broker.port("plain")
        self.write(TLS_LISTENER + PLAIN_LISTENER.replace("127.0.0.1:0", "127.0.0.1:1") +
                   '[defaults.class]\nburst = 7\n[log]\nlevel = "debug"\n')
        self.assertEqual(self.reload(), {"changed": ["defaults.class.burst", "log.level"],
                                         "needs_restart": ["listener.plain.bind"]})
        self.assertEqual(self.broker.port("plain"), port)
        self.assertEqual(self.broker.ask("POST", "/classes", {"name": "7b"})["limits"]["burst"], 7)
        eventually(lambda: " debug " in self.broker.log_text(), "a line of level debug")
        said = self.broker.cli("config", "reload").stdout
        self.assertIn("listener.plain.bind", said)

    def test_a_wrong_file_changes_nothing_and_says_where(self):
        before = self.broker.ask("GET", "/config")
        text = self.broker.config.read_text()
        for wrong, words in (text.replace("60s", "60 elephants"), "connect_timeout"), \
                            (text + '[defaults.class]\nburst = 0\n', "burst"), \
                            (text.replace("allow.json", "gone.json") + "[defaults.class]\nburst = 7\n",
                             "gone.json"):
            with self.subTest(words=words):
                self.broker.config.write_text(wrong)
                answer = self.broker.http("POST", "/config:reload", {})
                self.assertEqual(answer.status, 400)
                self.assertIn(words, answer.body.decode())
                self.assertEqual(self.broker.ask("GET", "/config"), before)
                done = self.broker.cli("config", "check", "--config", str(self.broker.config), code=8)
                self.assertIn(words, done.stderr)
        client = self.client("still")
        self.assertEqual(client.subscribe("a"), [0])

    def test_sighup_does_the_same(self):
        client = self.client("a")
        self.policy.write_text(json.dumps(ONLY_A))
        self.broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: "listener.plain.anonymous_policy_file" in self.broker.log_text(), "the reload")
        eventually(lambda: client.subscribe("b") == [128], "the refusal")
        self.broker.config.write_text("[log]\nlevel = \"loud\"\n")
        self.broker.process.send_signal(signal.SIGHUP)
        eventually(lambda: "nothing changed" in self.broker.log_text(), "the refusal of the file")
        self.assertEqual(client.subscribe("a"), [0])


if __name__ == "__main__":
    unittest.main(verbosity=2)
