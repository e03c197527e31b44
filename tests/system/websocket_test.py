"""MQTT over WebSocket, and the API over https, with clients of other people: Paho, Python's http.client and ssl."""
import contextlib
import glob
import http.client
import json
import os
import pathlib
import queue
import socket
import ssl
import subprocess
import unittest

import paho.mqtt.client as paho

from harness import WAIT_S, Answer, BrokerTest, OwnBrokerTest, eventually
from tiny_mqtt import websocket_request

TABLES = sorted(glob.glob(str(pathlib.Path(__file__).parent.parent / "wire" / "*.txt")))
TABLES = [table for table in TABLES if not table.endswith("CMakeLists.txt")]

CONFIG = """
[server]
names = ["localhost"]
addresses = ["127.0.0.1"]

[limits]
connect_timeout = "60s"

[listener.web]
protocol = "https"
bind = "127.0.0.1:0"
handshake_timeout = "60s"
failed_connects_per_minute_per_address = 100000
allowed_origins = ["https://board.school.example"]

[listener.open]
protocol = "wss"
bind = "127.0.0.1:0"
anonymous_policy_file = "allow.json"
handshake_timeout = "60s"
failed_connects_per_minute_per_address = 100000

[listener.ws]
protocol = "ws"
bind = "127.0.0.1:0"
anonymous_policy_file = "allow.json"
failed_connects_per_minute_per_address = 100000

[listener.mqtts]
protocol = "mqtts"
bind = "127.0.0.1:0"
client_certificate = "optional"
handshake_timeout = "60s"

[listener.admin]
protocol = "unix"
path = "{data}/admin.sock"
"""


class Paho:
    """Paho's client with its thread; what happens goes into queues."""

    def __init__(self, client_id, transport="websockets"):
        self.connected, self.gone = queue.Queue(), queue.Queue()
        self.acks, self.messages = queue.Queue(), queue.Queue()
        client = self.client = paho.Client(client_id, transport=transport, reconnect_on_failure=False)
        client.on_connect = lambda c, data, flags, rc: self.connected.put(rc)
        client.on_disconnect = lambda c, data, rc: self.gone.put(rc)
        client.on_subscribe = lambda c, data, mid, granted: self.acks.put(list(granted))
        client.on_publish = lambda c, data, mid: self.acks.put(mid)
        client.on_message = lambda c, data, m: self.messages.put((m.topic, m.payload.decode()))

    def connect(self, port):
        """The return code of CONNACK."""
        self.client.connect("localhost", port)
        self.client.loop_start()
        return self.connected.get(timeout=WAIT_S)

    def subscribe(self, topic):
        self.client.subscribe(topic, 1)
        return self.acks.get(timeout=WAIT_S)

    def publish(self, topic, payload):
        self.client.publish(topic, payload, 1)
        return self.acks.get(timeout=WAIT_S)

    def message(self):
        return self.messages.get(timeout=WAIT_S)

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()


def status_of(sock):
    """The status of the answer whose head comes next."""
    head = b""
    while b"\r\n\r\n" not in head:
        piece = sock.recv(4096)
        if not piece:
            raise AssertionError(f"closed after {head!r}")
        head += piece
    return int(head.split()[1])


class WebClients:
    """Clients of the listeners above, for a test case with a `broker`."""

    @property
    def ca(self):
        return self.broker.data / "server-ca.crt"

    def paho(self, client_id, tls=True, token=None, identity=None, transport="websockets"):
        made = Paho(client_id, transport)
        self.addCleanup(made.close)
        if identity:
            made.client.tls_set(str(self.ca), str(identity.crt), str(identity.key))
        elif tls:
            made.client.tls_set(str(self.ca))
        if token:
            made.client.username_pw_set("whoever", token)
        return made

    def token(self, name, role="teacher", **fields):
        fields = {"class": "7b", **fields} if role != "admin" else fields
        return self.broker.ask("POST", "/tokens", {"name": name, "role": role, **fields})

    def tls_socket(self, listener="web"):
        context = ssl.create_default_context(cafile=str(self.ca))
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer programs verify
        raw = socket.create_connection(("127.0.0.1", self.broker.port(listener)), timeout=WAIT_S)
        wrapped = context.wrap_socket(raw, server_hostname="localhost")
        self.addCleanup(wrapped.close)
        return wrapped


class WebTest(WebClients, BrokerTest):
    options = {"config": CONFIG}


class Devices(WebTest):
    def test_a_device_speaks_over_wss_with_its_certificate(self):
        thing = self.broker.make_thing("7b/otter/weather")
        device = self.paho("d", identity=thing)
        self.assertEqual(device.connect(self.broker.port("web")), 0)
        self.assertEqual(device.subscribe("$me/echo"), [1])
        device.publish("$me/echo", "21.4")
        self.assertEqual(device.message(), ("$me/echo", "21.4"))
        shown = [c for c in self.broker.items("/connections?class=7b") if c["client_id"] == "d"]
        self.assertEqual([c["listener"] for c in shown], ["web"])
        self.assertEqual(self.broker.ask("POST", f"/certificates/{thing.certificate['id']}:revoke",
                                         {"reason": "lost"})["effective"], True)
        self.assertNotEqual(device.gone.get(timeout=WAIT_S), 0)

    def test_plain_ws_and_a_large_message(self):
        client = self.paho("plain", tls=False)
        self.assertEqual(client.connect(self.broker.port("ws")), 0)
        client.subscribe("large/#")
        text = "0123456789" * 20000
        client.publish("large/x", text)
        self.assertEqual(client.message(), ("large/x", text))


class Tokens(WebTest):
    def test_a_teacher_reads_the_class_and_writes_on_its_board(self):
        self.broker.make_class("8a")
        token = self.token("laptop")
        page = self.paho("page", token=token["token"])
        self.assertEqual(page.connect(self.broker.port("web")), 0)
        self.assertEqual(page.subscribe("7b/#"), [1])
        self.assertEqual(page.subscribe("8a/#"), [128])
        thing = self.paho("t", identity=self.broker.make_thing("7b/otter/door"))
        self.assertEqual(thing.connect(self.broker.port("web")), 0)
        self.assertEqual(thing.subscribe("7b/board/#"), [1])
        thing.publish("$me/open", "yes")
        self.assertEqual(page.message(), ("7b/otter/door/open", "yes"))
        page.publish("7b/otter/door/set", "must not arrive")
        page.publish("7b/board/lesson", "page 12")
        self.assertEqual(thing.message(), ("7b/board/lesson", "page 12"))

    def test_the_same_token_works_over_mqtts(self):
        page = self.paho("program", token=self.token("program")["token"], transport="tcp")
        self.assertEqual(page.connect(self.broker.port("mqtts")), 0)
        self.assertEqual(page.subscribe("7b/board/#"), [1])

    def test_a_revoked_token_ends_its_connections_and_a_wrong_one_is_told(self):
        token = self.token("stolen")
        page = self.paho("victim", token=token["token"])
        self.assertEqual(page.connect(self.broker.port("web")), 0)
        self.broker.ask("DELETE", f"/tokens/{token['id']}")
        self.assertNotEqual(page.gone.get(timeout=WAIT_S), 0)
        self.assertEqual(self.paho("again", token=token["token"]).connect(self.broker.port("web")), 5)
        wrong = "iot_" + "A" * 45
        self.assertEqual(self.paho("wrong", token=wrong).connect(self.broker.port("web")), 4)
        self.broker.wait_for_log("E3309")
        self.assertNotIn(wrong, self.broker.log_text())

    def test_without_token_and_certificate_nobody_comes_in(self):
        self.assertEqual(self.paho("nobody").connect(self.broker.port("web")), 5)


class Pages(WebTest):
    def upgrade(self, listener, *lines):
        sock = self.tls_socket(listener)
        sock.sendall(websocket_request("/mqtt", "localhost:1", *lines))
        return status_of(sock)

    def test_pages_of_other_sites_get_no_websocket(self):
        self.assertEqual(self.upgrade("web"), 101)
        self.assertEqual(self.upgrade("web", "Origin: https://localhost:1"), 101)
        self.assertEqual(self.upgrade("web", "Origin: https://board.school.example"), 101)
        self.assertEqual(self.upgrade("web", "Origin: https://evil.example"), 403)
        chat = self.tls_socket("web")
        chat.sendall(websocket_request().replace(b"Protocol: mqtt", b"Protocol: chat"))
        self.assertEqual(status_of(chat), 400)
        self.broker.wait_for_log("E3217")
        told = eventually(lambda: [r for r in self.broker.items("/handshakes")
                                   if r["code"] == "E3217"], "the refusal is listed")
        self.assertIn("evil.example", told[0]["why"])


class Api(WebTest):
    def https(self, requests, headers=None):
        """Answers to paths, all over one connection."""
        context = ssl.create_default_context(cafile=str(self.ca))
        connection = http.client.HTTPSConnection("localhost", self.broker.port("web"), timeout=WAIT_S,
                                                 context=context)
        self.addCleanup(connection.close)
        answers = []
        for method, path, body in requests:
            connection.request(method, path, body,
                               {**({"Content-Type": "application/json"} if body else {}), **(headers or {})})
            answers.append(Answer(connection.getresponse()))
        return answers

    def test_what_needs_no_token(self):
        ca, ready, status = self.https([("GET", "/ca.crt", None), ("GET", "/health/ready", None),
                                        ("GET", "/api/v1/classes", None)])
        self.assertTrue(ca.body.startswith(self.ca.read_bytes()))
        self.assertEqual(ready.status, 200)
        self.assertEqual((status.status, status.json["code"]), (401, "E4115"))

    def test_the_api_with_a_token(self):
        bearer = {"Authorization": "Bearer " + (self.broker.data / "admin.token").read_text().strip()}
        made, listed, page = self.https([
            ("POST", "/api/v1/classes/7b/projects", json.dumps({"name": "web"})),
            ("GET", "/api/v1/classes/7b/projects", None),
            ("GET", "/api/v1/openapi.json", None)], bearer)
        self.assertEqual(made.status, 201, made.body)
        self.assertIn("web", [item["name"] for item in listed.json["items"]])
        self.assertEqual(page.json["openapi"][:2], "3.")

    def test_a_request_may_come_in_pieces_and_is_held_to_its_limits(self):
        sock = self.tls_socket()
        for piece in ("GE", "T /ca.crt HTT", "P/1.1\r\nHost: localhost\r", "\nConnection: close\r\n\r\n"):
            sock.sendall(piece.encode())
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
        self.assertIn(b" 200 OK\r\n", answer)
        self.assertIn(self.ca.read_bytes(), answer)

    def test_foreign_hosts_and_origins_are_refused(self):
        answers = [self.https([("GET", "/health/ready", None)], headers)[0] for headers in (
            {"Host": "evil.example"}, {"Origin": "https://evil.example"},
            {"Host": f"127.0.0.1:{self.broker.port('web')}"})]
        self.assertEqual([a.status for a in answers], [421, 403, 200])

    def test_http_without_tls_is_told_where_to_go(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.broker.port("web"), timeout=WAIT_S)
        connection.request("GET", "/")
        answer = Answer(connection.getresponse())
        self.assertEqual(answer.status, 400)
        self.assertIn(b"https://", answer.body)


class Limits(WebClients, OwnBrokerTest):
    options = {"config": CONFIG.replace("[listener.web]\n", """[listener.web]
websocket_path = "/broker"
websocket_request_bytes_max = "1KiB"
""") + """
[api]
connections_max = 3
"""}

    def ask(self, sock, path="/health/ready"):
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        return status_of(sock)

    def websocket(self, path="/broker", *lines):
        sock = self.tls_socket()
        sock.sendall(websocket_request(path, "localhost", *lines))
        return status_of(sock)

    def test_more_connections_than_the_api_takes_get_503_until_one_ends(self):
        held = [self.tls_socket() for _ in range(3)]
        self.assertEqual([self.ask(sock) for sock in held], [200] * 3)
        self.assertEqual(self.ask(self.tls_socket()), 503)
        self.assertEqual(self.websocket(), 101)  # MQTT has places of its own
        held[0].close()
        eventually(lambda: self.ask(self.tls_socket()) == 200, "its place is free again")

    def test_mqtt_is_served_at_its_path_alone(self):
        self.assertEqual(self.websocket("/broker"), 101)
        self.assertEqual(self.websocket("/mqtt"), 404)  # the API's answer
        self.assertEqual(self.websocket("/brokers"), 404)
        plain = socket.create_connection(("127.0.0.1", self.broker.port("ws")), timeout=WAIT_S)
        self.addCleanup(plain.close)
        plain.sendall(websocket_request("/broker"))
        self.assertEqual(status_of(plain), 404)  # that listener's is /mqtt

    def test_the_longest_request_is_taken_and_one_byte_more_is_not(self):
        room = 1024 - len(websocket_request("/broker", "localhost", "Cookie: "))
        self.assertEqual(self.websocket("/broker", "Cookie: " + "x" * room), 101)
        self.assertEqual(self.websocket("/broker", "Cookie: " + "x" * (room + 1)), 431)

    def test_a_stop_ends_whatever_is_open_in_time(self):
        idle, asked, half, mqtt = (self.tls_socket() for _ in range(4))
        self.assertEqual(self.ask(asked), 200)
        half.sendall(b"GET /health/ready HTT")
        mqtt.sendall(websocket_request("/broker"))
        self.assertEqual(status_of(mqtt), 101)
        self.assertLess(self.broker.stop(), 2)
        for sock in (idle, asked, half, mqtt):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while sock.recv(4096):  # a Close frame
                    pass


@unittest.skipUnless("IOTSKY_WIRE_RUNNER" in os.environ, "ctest names the wire runner")
class Wire(WebTest):
    def run_tables(self, listener, transport):
        done = subprocess.run([os.environ["IOTSKY_WIRE_RUNNER"], "--port", str(self.broker.port(listener)),
                               "--transport", transport, "--patience-ms", "10000", *TABLES],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:] + done.stderr)

    def test_tables_over_websocket(self):
        self.run_tables("ws", "ws")

    def test_tables_over_websocket_and_tls(self):
        self.run_tables("open", "wss")


if __name__ == "__main__":
    unittest.main()
