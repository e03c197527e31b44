"""What the API answered with 2xx is there after kill -9, and events are told at least once."""
import json
import sqlite3
import struct
import threading
import time
import unittest

from harness import Identity, OwnBrokerTest, eventually
from tiny_mqtt import PUBACK, Client, packet, tls_context

EVENTS_POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["iot:Connect"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["iot:Subscribe", "iot:Receive"], "Resource": "*"}]}


class Durability(OwnBrokerTest):
    def setUp(self):
        super().setUp()
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

    def follower(self):
        """The files of a service that may read events."""
        answer = self.broker.ask("POST", "/certificates",
                                 {"service": "follower", "policy": EVENTS_POLICY})
        return Identity(self.broker.root / "follower", "service", answer)

    def follow(self, service):
        """Its persistent session, connected."""
        client = Client(self.broker.port(), tls_context(service))
        self.addCleanup(client.sock.close)
        client.connect("follower", clean=False)
        return client

    def take_events(self, client, seen):
        """Adds the numbers of the events that wait for it to `seen`, acknowledged."""
        for message in client.messages():
            seen.add(json.loads(message.payload)["seq"])
            client.send(packet(PUBACK, 0, struct.pack("!H", message.packet_id)))

    def all_events(self):
        found, after = set(), 0
        while items := self.broker.ask("GET", f"/events?after={after}&limit=1000")["items"]:
            found |= {event["seq"] for event in items}
            after = max(found)
        return found

    def test_an_event_whose_publication_was_cut_off_is_published_after_the_crash(self):
        service = self.follower()
        client, seen = self.follow(service), set()
        client.subscribe("$iotsky/events/#", qos=1)
        client.disconnect()
        # The message store takes nothing: the registry commits, the publication does not end.
        store = sqlite3.connect(self.broker.data / "messages.db", isolation_level=None)
        store.execute("BEGIN IMMEDIATE")
        self.broker.make_thing("7b/otter/weather")
        last = max(self.all_events())
        # Nothing outside shows that the publication has begun; if it has not, the test is easier and still right.
        time.sleep(0.5)
        self.broker.kill()
        store.close()
        self.broker.start()
        client = self.follow(service)
        eventually(lambda: self.take_events(client, seen) or last in seen, "the event after the crash")
        self.assertLessEqual(set(range(min(seen), last + 1)) & self.all_events(), seen)

    def test_events_reach_a_service_at_least_once_over_many_crashes(self):
        service = self.follower()
        client, seen = self.follow(service), set()
        client.subscribe("$iotsky/events/#", qos=1)
        first = max(self.all_events()) + 1
        for crash in range(5):
            def create():
                try:
                    for i in range(1000):
                        self.broker.make_thing(f"7b/otter/t{crash}-{i}")
                except Exception:  # the broker is gone
                    pass
            writer = threading.Thread(target=create)
            writer.start()
            time.sleep(0.1 + 0.07 * crash)  # the kill shall come at another moment each time
            self.broker.process.kill()
            writer.join(30)
            self.crash()
            client = self.follow(service)
        wanted = {seq for seq in self.all_events() if seq >= first}
        self.assertGreater(len(wanted), 20)
        eventually(lambda: self.take_events(client, seen) or wanted <= seen, "every event")

    def test_events_reach_a_service_over_mqtt(self):
        service = self.follower()
        client = self.connect(service, "follower")
        self.assertEqual(client.subscribe("$iotsky/events/#", qos=1), [1])
        self.broker.make_thing("7b/otter/weather")
        kinds = {}
        while "$iotsky/events/thing.provisioned" not in kinds:
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
