"""What is refused is told: on the wire, on $me/notice, in the log, and by the API."""
import json
import unittest

from harness import OwnBrokerTest, eventually
from tiny_mqtt import Client, tls_context


class Refusals(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        self.broker.make_class("7b")
        self.weather = self.broker.make_thing("7b/otter/weather")
        self.door = self.broker.make_thing("7b/heron/door")

    def client(self, identity, name="a", **options):
        client = Client(self.broker.port(), tls_context(identity))
        self.addCleanup(client.sock.close)
        client.connect(name, **options)
        return client

    def notice(self, client):
        while True:
            message = client.message()
            if message.topic.endswith("/notice"):
                return json.loads(message.payload)

    def refusals(self, identity, code):
        path = identity.path.replace("/", ":")
        return eventually(
            lambda: [r for r in self.broker.items(f"/things/{path}/refusals") if r["code"] == code],
            f"a refusal {code} of {identity.path}")

    def test_denied_subscribe_is_0x80_for_that_filter_alone(self):
        client = self.client(self.weather)
        self.assertEqual(client.subscribe("7b/commons/#", "7b/heron/door", "#", "7b/otter/+", qos=1),
                         [1, 0x80, 0x80, 1])
        refusals = eventually(lambda: len(self.refusals(self.weather, "E3102")) == 2 and
                              self.refusals(self.weather, "E3102"), "both filters are told")
        self.assertEqual({r["topic"] for r in refusals}, {"#", "7b/heron/door"})
        self.assertEqual({r["action"] for r in refusals}, {"subscribe"})

    def test_denied_publish_is_acknowledged_told_and_goes_nowhere(self):
        door = self.client(self.door)
        self.assertEqual(door.subscribe("7b/heron/#", qos=1), [1])
        weather = self.client(self.weather)
        self.assertEqual(weather.subscribe("$me/notice"), [0])
        weather.publish("7b/heron/door", b"let me in", 1)
        weather.publish("7b/heron/door", b"let me in", 2, retain=True)
        notice = self.notice(weather)
        self.assertEqual((notice["code"], notice["topic"], notice["what"]),
                         ("E3101", "7b/heron/door", "publish"))
        self.assertTrue(notice["why"] and notice["try"] and notice["time"])
        refusal = self.refusals(self.weather, "E3101")[0]
        self.assertEqual((refusal["topic"], refusal["thing"], refusal["listener"]),
                         ("7b/heron/door", "7b/otter/weather", "mqtts"))
        self.assertTrue(refusal["why"] and refusal["hint"])
        self.assertEqual(door.messages(), [])
        self.assertEqual(self.broker.items("/retained"), [])
        line = eventually(lambda: [l for l in self.broker.log_text().splitlines() if "E3101" in l],
                          "a log line with E3101")[0]
        self.assertIn("7b/otter/weather", line)
        self.assertIn("7b/heron/door", line)
        metrics = self.broker.http("GET", "//metrics").body.decode()
        self.assertRegex(metrics, r"refus\w*\{?[^\n]* [1-9]")

    def test_leading_slash_is_explained(self):
        weather = self.client(self.weather)
        weather.subscribe("$me/notice")
        weather.publish("/7b/otter/weather/temp", b"1", 1)
        self.assertEqual(self.notice(weather)["code"], "E3103")

    def test_denied_will_is_dropped_and_the_connection_stays(self):
        weather = self.client(self.weather, will=("7b/heron/door", b"bye", 1, True))
        weather.subscribe("$me/#")
        self.refusals(self.weather, "E3101")
        weather.drop()
        eventually(lambda: not self.broker.items("/connections"), "the connection is gone")
        self.assertEqual(self.broker.items("/retained"), [])

    def test_class_that_disconnects_as_aws_does(self):
        self.broker.ask("PATCH", "/classes/7b", {"on_denied_publish": "disconnect"})
        weather = self.client(self.weather)
        from tiny_mqtt import publish_packet
        weather.send(publish_packet("7b/heron/door", b"x", 1))
        weather.wait_closed()

    def test_info_and_time_answer_on_subscribe(self):
        import time
        weather = self.client(self.weather)
        weather.subscribe("$me/info", "$me/time")
        found = {m.topic: json.loads(m.payload) for m in (weather.message(), weather.message())}
        info = found["7b/otter/weather/info" if "7b/otter/weather/info" in found else "$me/info"]
        clock = found["7b/otter/weather/time" if "7b/otter/weather/time" in found else "$me/time"]
        self.assertEqual((info["path"], info["class"]), ("7b/otter/weather", "7b"))
        self.assertLess(abs(clock["unix"] - time.time()), 5)

    def test_explain_agrees_with_the_wire(self):
        told = self.broker.explain("7b/otter/weather", "publish", "7b/heron/door")
        self.assertEqual((told["allowed"], told["code"]), (False, "E3101"))
        self.assertTrue(self.broker.explain("7b/otter/weather", "publish", "7b/otter/weather/x")["allowed"])
        said = self.broker.cli("explain", "7b/otter/weather", "publish", "7b/heron/door", code=8)
        self.assertIn("E3101", said.stdout + said.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
