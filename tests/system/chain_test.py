"""The chain of provisioning, step by step and whole, from the command line; its events by the API."""
import json
import unittest

from harness import OwnBrokerTest

ORDER = json.dumps({"class": "7b", "project": "otter", "name": "weather"})
STEPS = ["create_thing", "grant_rights", "issue_certificate", "attach", "record", "announce"]
KINDS = ["thing.created", "rights.granted", "certificate.issued", "certificate.attached",
         "order.recorded", "thing.provisioned"]


class Chain(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        self.broker.make_class("7b")

    def run_chain(self, *args, event=ORDER, code=0):
        return self.broker.cli("chain", *args, "--event", "-", stdin=event, code=code)

    def kinds(self, text):
        return [json.loads(line)["kind"] for line in text.splitlines() if "private_key" not in line]

    def test_one_step_alone_on_a_scratch_registry(self):
        done = self.run_chain("run", "create_thing")
        self.assertEqual(self.kinds(done.stdout), ["thing.created"])
        self.assertEqual(self.broker.items("/things"), [])

    def test_the_whole_chain_on_a_scratch_registry(self):
        done = self.run_chain("run", "create-thing", "--dry-run")
        self.assertEqual(self.kinds(done.stdout), KINDS)
        self.assertEqual(self.broker.items("/things"), [])

    def test_steps_after_one_another_on_the_running_registry(self):
        event = json.loads(ORDER)
        for step, kind in zip(STEPS, KINDS):
            with self.subTest(step=step):
                answer = self.broker.ask("POST", "/chain:run",
                                         {"step": step, "event": event, "mode": "real"})
                event = answer["events"][-1]
                self.assertEqual(event["kind"], kind)
        thing = self.broker.ask("GET", "/things/7b:otter:weather")
        self.assertEqual([c["status"] for c in thing["certificates"]], ["active"])

    def test_a_dry_run_on_the_running_registry_changes_nothing(self):
        done = self.run_chain("live", "create-thing", "--dry-run")
        self.assertIn("thing.provisioned", done.stdout)
        self.assertEqual(self.broker.items("/things"), [])

    def test_a_wrong_event_is_refused_with_its_member(self):
        said = self.run_chain("run", "create_thing", event='{"clas":"7b"}', code=2)
        self.assertIn("clas", said.stderr)

    def test_events_can_be_followed_from_a_number(self):
        start = self.broker.ask("GET", "/events?after=0&limit=1000")["next_after"]
        self.broker.make_thing("7b/otter/weather")
        page = self.broker.ask("GET", f"/events?after={start}&limit=100")
        self.assertEqual([e["kind"] for e in page["items"] if e["kind"] in KINDS], KINDS)
        self.assertNotIn("PRIVATE KEY", json.dumps(page))
        rest = self.broker.ask("GET", f"/events?after={page['next_after']}&wait=1")
        self.assertEqual(rest["items"], [])
        only = self.broker.ask("GET", "/events?after=0&kind=certificate.")["items"]
        self.assertEqual({e["kind"].split(".")[0] for e in only}, {"certificate"})
        followed = self.broker.cli("events", "follow", "--after", str(start), "--count", "1", "--jsonl")
        self.assertEqual(json.loads(followed.stdout.splitlines()[0])["seq"], start + 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
