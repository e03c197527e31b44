"""`$me/cert/renew`: a device asks for a new certificate over the connection that it has."""
import json
import pathlib
import subprocess
import unittest

from harness import BrokerTest
from tiny_mqtt import Client, tls_context


class Renew(BrokerTest):
    def client(self, identity, name="board", clean=False):
        client = Client(self.broker.port(), tls_context(identity))
        self.addCleanup(client.sock.close)
        client.was_present = client.connect(name, clean=clean)
        return client

    def request(self, name):
        """A key of the device's own, and its CSR."""
        key = self.broker.root / f"{name}.key"
        csr = subprocess.run(
            ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-keyout", key, "-subj", "/CN=device"],
            check=True, capture_output=True).stdout
        return key, csr

    def ask(self, client, csr):
        client.publish("$me/cert/renew", csr, 1)  # waits for PUBACK
        message = client.message()
        self.assertEqual(message.topic, "$me/cert/renewed")
        return json.loads(message.payload)

    def test_csr_in_certificate_out_and_the_session_goes_on(self):
        thing = self.broker.make_thing("7b/otter/weather")
        client = self.client(thing)
        client.subscribe("$me/cert/renewed", "$me/cmd", qos=1)
        key, csr = self.request("new")
        answer = self.ask(client, csr)
        self.assertEqual(set(answer), {"certificate_pem", "serial", "not_after"})
        self.assertEqual(self.ask(client, csr)["serial"], answer["serial"])  # asked again: the same

        other = self.ask(client, self.request("other")[1])
        self.assertEqual(other["code"], "E5246")  # another one, a moment later

        client.drop()
        thing.crt.write_text(answer["certificate_pem"])
        thing.key.write_bytes(pathlib.Path(key).read_bytes())
        again = self.client(thing)
        self.assertTrue(again.was_present)
        again.publish("$me/cmd", b"hello", 1)
        self.assertEqual([m.payload for m in again.messages()], [b"hello"])
        serials = {item["serial"] for item in self.broker.items("/certificates?class=7b")}
        self.assertIn(answer["serial"], serials)

    def test_what_is_no_request_is_refused_in_words(self):
        client = self.client(self.broker.make_thing("7b/heron/door"))
        client.subscribe("$me/cert/renewed", qos=1)
        answer = self.ask(client, b"no request")
        self.assertTrue(answer["code"].startswith("E522"))
        self.assertTrue(answer["why"] and answer["try"])
        self.assertEqual(self.ask(client, b"x" * 20_000)["code"], "E5248")

    def test_nobody_asks_for_another(self):
        victim = self.broker.make_thing("7b/otter/victim")
        thief = self.client(self.broker.make_thing("7b/heron/thief"), "thief")
        watcher = self.client(victim, "victim")
        watcher.subscribe("$me/cert/renewed", qos=1)
        thief.publish(f"$iotsky/things/{victim.answer['id']}/cert/renew",
                      self.request("thief")[1], 1)
        self.assertEqual(watcher.messages(), [])
        refusals = self.broker.items("/things/7b:heron:thief/refusals")
        self.assertIn("E3101", {item["code"] for item in refusals})


if __name__ == "__main__":
    unittest.main()
