"""Programs of the web as clients, over the listener that browsers use: MQTT.js, and a page in Chromium.

Chromium trusts the broker's CA as that of any other site, so that what it finds fault with in a certificate is found.
"""
import http.server
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.parse

from harness import WAIT_S, BrokerTest, die_with_parent

HERE = pathlib.Path(__file__).parent
NEEDED = {"chromium": shutil.which("chromium"), "certutil": shutil.which("certutil"), "node": shutil.which("node"),
          "node-mqtt": os.path.exists("/usr/share/nodejs/mqtt")}
SKIPPED = 77  # ctest shows it
START_S = 60  # of a browser on a busy machine
CONFIG = """
[server]
names = ["localhost"]
addresses = ["127.0.0.1"]

[listener.web]
protocol = "https"
bind = "127.0.0.1:0"
handshake_timeout = "60s"
allowed_origins = ["{origin}"]

[listener.pages]
protocol = "wss"
bind = "127.0.0.1:0"
client_certificate = "none"
handshake_timeout = "60s"
allowed_origins = ["{origin}"]

[listener.mqtts]
protocol = "mqtts"
bind = "127.0.0.1:0"
client_certificate = "optional"
handshake_timeout = "60s"

[listener.admin]
protocol = "unix"
path = "{{data}}/admin.sock"
"""


class PageServer(http.server.ThreadingHTTPServer):
    """Serves the page, and keeps what it posts."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = (HERE / "chromium_page.html").read_bytes() if self.path == "/page.html" else b""
            self.send_response(200 if page else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.results.put(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.results = queue.Queue()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def origin(self, host="127.0.0.1"):
        return f"http://{host}:{self.server_port}"


class Browsers(BrokerTest):
    @classmethod
    def setUpClass(cls):
        cls.pages = PageServer()
        cls.addClassCleanup(cls.pages.server_close)
        cls.addClassCleanup(cls.pages.shutdown)
        cls.options = {"config": CONFIG.format(origin=cls.pages.origin())}
        super().setUpClass()
        cls.token = cls.broker.ask("POST", "/tokens", {"name": "page", "role": "teacher", "class": "7b"})["token"]

    @property
    def ca(self):
        return str(self.broker.data / "server-ca.crt")

    # MQTT.js

    def mqttjs(self, url, topic, files=None, **options):
        options = {"url": url, "topic": topic, "clientId": "mqttjs", "files": {"ca": self.ca, **(files or {})}, **options}
        done = subprocess.run([NEEDED["node"], HERE / "mqttjs_client.js", json.dumps(options)], text=True,
                              capture_output=True, timeout=START_S,
                              env={**os.environ, "NODE_PATH": "/usr/share/nodejs"})
        self.assertEqual(done.returncode, 0, done.stderr)
        got = json.loads(done.stdout)["got"]
        self.assertEqual([(m["topic"], m["bytes"], m["qos"]) for m in got],
                         [(topic, 3, 0), (topic, 3, 1), (topic, 30000, 2)])

    def test_mqttjs_with_a_token(self):
        for url in (f"wss://localhost:{self.broker.port('web')}/mqtt", f"mqtts://localhost:{self.broker.port()}"):
            with self.subTest(url):
                self.mqttjs(url, "7b/board/lesson", username="page", password=self.token)

    def test_mqttjs_with_the_certificate_of_a_device(self):
        thing = self.broker.make_thing("7b/otter/weather")
        self.mqttjs(f"wss://localhost:{self.broker.port('web')}/mqtt", "7b/otter/weather/t",
                    {"cert": str(thing.crt), "key": str(thing.key)})

    # Chromium

    def browse(self, listener, host="127.0.0.1", fetch_first=""):
        """What the page saw that was opened at `host`, after it fetched a path of the listener."""
        home = tempfile.TemporaryDirectory(prefix="iotsky-browser-", ignore_cleanup_errors=True)
        self.addCleanup(home.cleanup)
        store = pathlib.Path(home.name) / ".pki" / "nssdb"
        store.mkdir(parents=True)
        for command in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "iotsky", "-i", self.ca]):
            subprocess.run([NEEDED["certutil"], "-d", f"sql:{store}", *command], check=True, timeout=START_S)
        place = f"localhost:{self.broker.port(listener)}"
        order = {"url": f"wss://{place}/mqtt", "token": self.token, "topic": "7b/board/page",
                 "first": f"https://{place}{fetch_first}" if fetch_first else ""}
        page = self.pages.origin(host) + "/page.html#" + urllib.parse.quote(json.dumps(order))
        browser = subprocess.Popen(
            [NEEDED["chromium"], "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--no-proxy-server", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", f"--user-data-dir={home.name}/profile", "--remote-debugging-port=0", page],
            env={**os.environ, "HOME": home.name}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent)
        try:
            return self.pages.results.get(timeout=START_S)
        finally:
            browser.terminate()
            browser.wait(timeout=WAIT_S)

    def speaks(self, seen):
        self.assertEqual(seen, {"protocol": "mqtt", "extensions": "", "connack": 0, "suback": 0,
                                "payload_bytes": 30000, "closed": None})

    def test_a_page_in_chromium_speaks_mqtt(self):
        self.speaks(self.browse("pages"))

    def test_where_a_certificate_is_asked_for_it_has_to_fetch_something_first(self):
        # Chromium asks nobody which certificate to show while it opens a WebSocket: it gives up.
        self.speaks(self.browse("web", fetch_first="/health/ready"))

    def test_a_page_of_another_site_gets_no_websocket(self):
        seen = self.browse("pages", "localhost")  # another origin than the one that is allowed
        self.assertEqual((seen["protocol"], seen["connack"], seen["closed"]), (None, None, 1006))
        self.broker.wait_for_log("E3217")


if __name__ == "__main__":
    missing = [name for name, there in NEEDED.items() if not there]
    if missing:
        print("skipped, not installed (scripts/packages.txt, group test):", ", ".join(missing))
        sys.exit(SKIPPED)
    unittest.main()
