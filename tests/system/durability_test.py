"""What the API answered with 2xx is there after kill -9, and events are told at least once."""
import json
import threading
import unittest

from harness import Broker, Identity, eventually
from tiny_mqtt import Client, tls_context

EVENTS_POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iot:Connect"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["iot:Subscribe", "iot:Receive"], "Resource": "*"}]}


class Durability(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.broker.__enter__()
        self.addCleanup(lambda: self.broker.__exit__(None, None, None))
        self.broker.make_class("7b")

    def crash(self):
        self.broker.kill()
        self.broker.start()

    def connect(self, identity, name="a"):
        client = Client(self.broker.port(), tls_context(identity))
        self.addCleanup(client.sock.close)
        client.connect(name)
        return client

    def event_paths(self):
        found, after = [], 0
        while True:
            page = self.broker.ask("GET", f"/events?after={after}&limit=1000&kind=thing.provisioned")
            if not page["items"]:
                return found
            numbers = [e["seq"] for e in page["items"]]
            self.assertEqual(numbers, sorted(set(numbers)))
            found += [e["body"]["thing"]["path"] for e in page["items"]]
            after = page["next_after"]

    def test_kill_9_keeps_what_was_answered(self):
        thing = self.broker.make_thing("7b/otter/weather")
        gone = self.broker.make_thing("7b/otter/gone")
        self.broker.ask("POST", f"/certificates/{gone.certificate['id']}:revoke", {})
        ca = self.broker.http("GET", "//ca.crt").body
        self.crash()
        self.assertEqual(self.broker.http("GET", "//ca.crt").body, ca)
        shown = self.broker.ask("GET", "/things/7b:otter:weather")
        self.assertEqual(shown["certificates"][0]["serial"], thing.certificate["serial"])
        self.connect(thing).publish("$me/x", b"1", 1)
        with Client(self.broker.port(), tls_context(gone)) as client:
            client.connect("b", code=5)
        self.assertEqual(set(self.event_paths()), {"7b/otter/weather", "7b/otter/gone"})

    def test_kill_9_in_the_middle_of_many_things_leaves_none_half_made(self):
        answered = []

        def create():
            try:
                for i in range(1000):
                    answered.append(self.broker.make_thing(f"7b/otter/t{i}"))
            except Exception:  # the broker is gone
                pass

        writer = threading.Thread(target=create)
        writer.start()
        eventually(lambda: len(answered) >= 20, "twenty things")
        self.broker.process.kill()
        writer.join(30)
        self.crash()
        kept = {t["path"] for t in self.broker.items("/things?class=7b")}
        self.assertLessEqual({i.path for i in answered}, kept)
        self.assertLessEqual(len(kept), len(answered) + 1)  # one may be done but not answered
        self.assertEqual(sorted(self.event_paths()), sorted(kept))
        for certificate in self.broker.items("/certificates?class=7b"):
            self.assertEqual(certificate["status"], "active")
            self.assertEqual(len(certificate["things"]), 1)
        for path in kept:
            self.assertEqual(len(self.broker.ask("GET", "/things/" + path.replace("/", ":"))
                                 ["certificates"]), 1)
        self.connect(answered[-1]).publish("$me/x", b"1", 1)

    def test_idempotency_key_makes_one_thing_also_over_a_crash(self):
        body = {"class": "7b", "project": "otter", "name": "once"}
        key = {"Idempotency-Key": "k-1"}
        first = self.broker.ask("POST", "/things", body, key)
        self.crash()
        again = self.broker.http("POST", "/things", body, key)
        if again.status == 201:
            self.assertEqual(again.json["id"], first["id"])
            self.assertEqual(again.json["certificate"]["serial"], first["certificate"]["serial"])
        else:
            self.assertEqual((again.status, again.json["code"]), (409, "E4102"))
        other = self.broker.http("POST", "/things", {**body, "name": "twice"}, key)
        self.assertEqual((other.status, other.json["code"]), (422, "E4103"))
        self.assertEqual(len(self.broker.items("/things?class=7b")), 1)
        self.assertEqual(len(self.broker.items("/certificates?class=7b")), 1)

    def test_events_reach_a_service_over_mqtt(self):
        answer = self.broker.ask("POST", "/certificates",
                                 {"service": "follower", "policy": EVENTS_POLICY})
        service = Identity(self.broker.root / "follower", "service", answer)
        client = self.connect(service, "follower")
        self.assertEqual(client.subscribe("$iotsky/events/#", qos=1), [1])
        self.broker.make_thing("7b/otter/weather")
        kinds = {}
        while "$iotsky/events/thing/provisioned" not in kinds and \
                "$iotsky/events/thing.provisioned" not in kinds:
            message = client.message()
            kinds[message.topic] = json.loads(message.payload)
        self.assertNotIn("PRIVATE KEY", json.dumps(kinds))
        self.crash()
        client = self.connect(service, "follower")
        client.subscribe("$iotsky/events/#", qos=1)
        self.broker.make_thing("7b/otter/after")
        while b"7b/otter/after" not in client.message().payload:
            pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
