"""Nothing crosses from one thing to another: every way out against every way in, before and after revocation.

The class is strict, so two things share nothing. What a secret of the victim can travel by is crossed with
everything that an intruder can hold: each pair is a row, and a row fails when the secret arrives.
"""
import itertools
import unittest

from harness import Identity, OwnBrokerTest, eventually
from tiny_mqtt import Client, Closed, tls_context

VICTIM, INTRUDER = "7b/otter/weather", "7b/heron/door"
TOPICS = [f"{VICTIM}/secret", "$me/secret"]  # both names of one topic
WAYS = ["live-0", "live-1", "live-2", "retained", "queued", "will"]
FILTERS = [f"{VICTIM}/secret", f"{VICTIM}/#", f"{VICTIM}/+", "7b/otter/#", "7b/+/weather/secret",
           "7b/+/+/secret", "+/otter/weather/secret", "+/+/+/+", "7b/#", "#", "+/#", "+",
           "$me/secret", "$me/#", "$me/+", "$me/../../otter/weather/#", "$SYS/#", "$SYS/+/#", "$iotsky/#",
           "$iotsky/events/#", "$aws/#", "$aws/things/7b:otter:weather/#", "$share/g/#",
           f"$share/g/{VICTIM}/#", f"/{VICTIM}/secret", f"{VICTIM}/secret/"]
TARGETS = [f"{VICTIM}/secret", f"{VICTIM}", "7b/otter/x", "$me/../../otter/weather/secret",
           f"$share/g/{VICTIM}/secret", "$SYS/x", "$iotsky/events/thing.created", "$iotsky/x",
           "$aws/things/7b:otter:weather/shadow/update", "$share/x", f"/{VICTIM}/secret",
           "7b/board/x", "7b/commons/x", "other/x", "7b/heron/x"]


class Isolation(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        self.broker.make_class("7b", strict_isolation=True)
        self.victim = self.broker.make_thing(VICTIM)
        self.intruder = self.broker.make_thing(INTRUDER)

    def client(self, identity, name="one", **options):
        client = Client(self.broker.port(), tls_context(identity))
        self.addCleanup(client.sock.close)
        client.connect(name, **options)
        return client

    def utter(self, way, topic, secret):
        """The victim sends `secret` in the given way, and it is done when this returns."""
        if way == "will":
            ghost = self.client(self.victim, "ghost", will=(topic, secret, 1, False))
            ghost.drop()
            eventually(lambda: all(c["client_id"] != "ghost" for c in self.broker.items("/connections")),
                       "the will was fired")
            return
        with self.client(self.victim, "speaker") as speaker:
            qos = int(way[-1]) if way.startswith("live") else 1
            speaker.publish(topic, secret, qos, retain=(way == "retained"))
            speaker.messages()

    def subscribe_everything(self, client):
        for qos in 0, 1, 2:
            for start in range(0, len(FILTERS), 8):
                self.filters_granted += [
                    f for f, code in zip(FILTERS[start:start + 8],
                                         client.subscribe(*FILTERS[start:start + 8], qos=qos)) if code < 128]

    def leaks(self, messages):
        return [m for m in messages if b"secret" in m.payload]

    def test_what_one_sends_the_other_never_gets(self):
        self.filters_granted = []
        owner = self.client(self.victim, "owner")
        self.assertEqual(owner.subscribe(f"{VICTIM}/#", qos=0), [0])
        rows = leaked = 0
        for way, topic in itertools.product(WAYS, TOPICS):
            secret = f"secret {way} {topic}".encode()
            intruder = self.client(self.intruder, "keep" if way == "queued" else "live",
                                   clean=(way != "queued"))
            if way != "retained":
                self.subscribe_everything(intruder)
            if way == "queued":
                intruder.drop()
            self.utter(way, topic, secret)
            heard = []
            eventually(lambda: heard.extend(m.payload for m in owner.messages()) or secret in heard,
                       f"the owner gets {secret}")  # so it was really sent, and is all over
            if way == "queued":
                intruder = self.client(self.intruder, "keep", clean=False)
            if way == "retained":
                self.subscribe_everything(intruder)
            found = self.leaks(intruder.messages())
            leaked += len(found)
            rows += len(FILTERS)
            with self.subTest(way=way, topic=topic):
                self.assertEqual(found, [])
            intruder.drop()
        own = {"$me/secret", "$me/#", "$me/+", "$me/../../otter/weather/#"}
        self.assertLessEqual({f for f in self.filters_granted if not f.startswith("$SYS")}, own)
        print(f"\n{rows} rows of way x topic x filter, {leaked} leaks", flush=True)

    def test_what_the_other_sends_never_arrives(self):
        owner = self.client(self.victim, "owner")
        for name in f"{VICTIM}/#", "$me/#":
            self.assertEqual(owner.subscribe(name, qos=1), [1])
        owner.messages()
        intruder = self.client(self.intruder, "live")
        rows = 0
        for target, qos, retain in itertools.product(TARGETS, (0, 1, 2), (False, True)):
            with self.subTest(target=target, qos=qos, retain=retain):
                intruder.publish(target, b"forged secret", qos, retain=retain)
                rows += 1
        for target in TARGETS:
            ghost = self.client(self.intruder, "ghost", will=(target, b"forged secret", 1, True))
            ghost.drop()
            rows += 1
        intruder.messages()
        eventually(lambda: all(c["client_id"] != "ghost" for c in self.broker.items("/connections")),
                   "the wills were fired")
        self.assertEqual(self.leaks(owner.messages()), [])
        topics = [r["topic"] for r in self.broker.items("/retained")]
        self.assertEqual([t for t in topics if not t.startswith(INTRUDER + "/")], [])
        print(f"\n{rows} rows of target x QoS x retain and will, 0 leaks", flush=True)

    def test_own_client_identifiers_are_nobody_elses(self):
        kept = self.client(self.victim, "same", clean=False)
        self.assertEqual(kept.subscribe(f"{VICTIM}/#", qos=1), [1])
        thief = self.client(self.intruder, "same", clean=False)  # asserts code 0; has no session of that name
        self.assertEqual(self.leaks(thief.messages()), [])
        self.assertEqual(kept.messages(), [])  # still connected

    def test_a_revoked_certificate_gets_nothing_and_reaches_nobody(self):
        listener = self.client(self.victim, "owner")
        listener.subscribe(f"{VICTIM}/#", qos=1)
        second = self.broker.ask("POST", "/things/7b:otter:weather/certificates", {})
        stolen = Identity(self.broker.root / "stolen", VICTIM, second)
        live = self.client(stolen, "live", will=(f"{VICTIM}/gone", b"secret will", 1, True))
        live.subscribe(f"{VICTIM}/#", qos=1)
        kept = self.client(stolen, "kept", clean=False)
        kept.subscribe(f"{VICTIM}/#", qos=1)
        kept.drop()
        listener.publish(f"{VICTIM}/old", b"secret queued", 1)
        revoked = self.broker.ask("POST", f"/certificates/{second['certificate']['id']}:revoke",
                                  {"reason": "lost"})
        self.assertTrue(revoked["effective"])
        listener.publish(f"{VICTIM}/new", b"secret after", 1, retain=True)
        got = []
        try:
            while True:
                got.append(live.message())
        except Closed:
            pass
        self.assertNotIn(b"secret after", [m.payload for m in got])
        for name in "live", "kept", "other":
            with self.subTest(client_id=name), Client(self.broker.port(), tls_context(stolen)) as again:
                again.connect(name, code=5, clean=False)
                self.assertRaises(Closed, again.read)
        heard = [m.payload for m in listener.messages()]
        self.assertNotIn(b"secret will", heard)
        self.assertNotIn(f"{VICTIM}/gone", [r["topic"] for r in self.broker.items("/retained")])
        self.assertTrue(listener.messages() == [])  # the other certificate of the same thing lives on


if __name__ == "__main__":
    unittest.main(verbosity=2)
