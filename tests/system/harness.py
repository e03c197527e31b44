"""The real binary for the tests of this folder: a broker on ports of its own in a folder of its own.

Only the standard library. IOTSKY_BIN names the program (ctest sets it). Everything listens on loopback at a
port that the system chooses; a broker is stopped by its pid with SIGTERM and must end with exit code 0.
"""
import ctypes
import http.client
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from tiny_mqtt import Client

IOTSKY = os.environ.get("IOTSKY_BIN", "iotsky")
START_S = 90  # a debug build on a machine that is busy with other tests
WAIT_S = 60
# In memory where that can be had: kill -9 takes no written byte away, and other tests keep the disk busy.
FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None

# Deadlines that a machine busy with other tests can keep.
TLS_LISTENER = """
[server]
names = ["localhost"]
addresses = ["127.0.0.1"]

[limits]
connect_timeout = "60s"

[listener.mqtts]
protocol = "mqtts"
bind = "127.0.0.1:0"
handshake_timeout = "60s"
failed_connects_per_minute_per_address = 100000

[listener.admin]
protocol = "unix"
path = "{data}/admin.sock"
"""
PLAIN_LISTENER = """
[listener.plain]
protocol = "mqtt"
bind = "127.0.0.1:0"
anonymous_policy_file = "allow.json"
failed_connects_per_minute_per_address = 100000
"""
ALLOW_ALL = {"Version": "2012-10-17",
             "Statement": [{"Effect": "Allow", "Action": "iot:*", "Resource": "*"}]}


def files_max():
    """How many files this process may open; takes all that the system allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def die_with_parent():
    """In the child: a test that ctest kills for its time leaves no broker behind."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def eventually(question, what, seconds=WAIT_S):
    """The first true answer of question(); fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Answer:
    """One HTTP answer: status, headers, body and, where it is JSON, json."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        kind = response.headers.get("Content-Type", "")
        self.json = json.loads(self.body) if "json" in kind and self.body else None


class UnixConnection(http.client.HTTPConnection):
    """HTTP over the socket file at `path`."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Identity:
    """A thing's files: crt, key and ca (paths), and its path in the registry."""

    def __init__(self, folder, path, answer):
        folder.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.crt, self.key, self.ca = folder / "device.crt", folder / "device.key", folder / "ca.crt"
        self.certificate = answer["certificate"]
        self.crt.write_text(self.certificate["pem"])
        self.key.write_text(answer["private_key"])
        self.ca.write_text(answer["ca"][0])

    @property
    def mosquitto(self):
        """These files as options of mosquitto_pub and mosquitto_sub."""
        return ["--cafile", self.ca, "--cert", self.crt, "--key", self.key]


class Broker:
    """`iotsky serve` in a temporary folder; use it with `with`."""

    def __init__(self, config=TLS_LISTENER, plain=False, data=None, environment=None):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="iotsky-", dir=FOLDER))
        self.data = pathlib.Path(data) if data else self.root / "data"
        self.environment = {**os.environ, **(environment or {})}
        self.config = self.root / "iotsky.toml"
        text = config.replace("{data}", str(self.data)) + (PLAIN_LISTENER if plain else "")
        self.config.write_text(text)
        (self.root / "allow.json").write_text(json.dumps(ALLOW_ALL))
        self.process = None
        self.connection = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.kill()
            self.clean()
            raise
        return self

    def __exit__(self, kind, value, trace):
        try:
            if kind is not None:
                print(f"--- the broker's log\n{self.log_text()[-6000:]}", flush=True)
                self.kill()
            elif self.process:
                self.stop()
        finally:
            self.kill()
            self.clean()

    def clean(self):
        shutil.rmtree(self.root, ignore_errors=True)

    @property
    def out_file(self):
        return self.root / "serve.out"

    def log_text(self):
        """What it logged so far, over all its starts in this folder."""
        log = self.root / "serve.log"
        return log.read_text(errors="replace") if log.exists() else ""

    def wait_for_log(self, text):
        """Returns when `text` was logged, quotes left out: a thread of its own writes the log."""
        eventually(lambda: text in self.log_text().replace('"', ""), f"the log says {text}")

    def out_text(self):
        return self.out_file.read_text(errors="replace") if self.out_file.exists() else ""

    def spawn(self):
        """Starts the process and does not wait."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with open(self.out_file, "wb") as out, open(self.root / "serve.log", "ab") as log:
            self.process = subprocess.Popen(
                [IOTSKY, "serve", "--data", self.data, "--config", self.config],
                stdout=out, stderr=log, stdin=subprocess.DEVNULL, env=self.environment,
                preexec_fn=die_with_parent)

    def start(self):
        """Starts it and returns when it said `ready`."""
        self.spawn()
        eventually(self.is_ready, "the broker says ready", START_S)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"serve ended with {self.process.returncode}:\n"
                                 f"{self.out_text()}\n{self.log_text()[-4000:]}")
        return "ready" in self.out_text().splitlines()

    def fails(self):
        """Starts what must not start; its exit code and all it wrote."""
        self.spawn()
        code = self.process.wait(START_S)
        self.process = None
        return code, self.out_text() + self.log_text()

    def stop(self):
        """SIGTERM; fails unless it ends with 0. Seconds that it took."""
        began = time.monotonic()
        self.close_http()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(START_S)
        self.process = None
        if code != 0:
            raise AssertionError(f"serve ended with {code} after SIGTERM:\n{self.log_text()[-4000:]}")
        return time.monotonic() - began

    def kill(self):
        """kill -9, as a power cut does it."""
        self.close_http()
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    # The API and the command line

    def close_http(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def endpoints(self):
        return json.loads((self.data / "endpoints.json").read_text())

    def port(self, name="mqtts"):
        """The port of listener `name`."""
        return next(l["port"] for l in self.endpoints()["listeners"] if l["name"] == name)

    def http(self, method, path, body=None, headers=None):
        """One request to the admin socket, below /api/v1 unless path starts with "//"."""
        data, kind = body, "application/json"
        if isinstance(body, (dict, list)):
            data = json.dumps(body)
        elif isinstance(body, str):
            data, kind = body.encode(), "text/csv"
        target = path[1:] if path.startswith("//") else "/api/v1" + path
        all_headers = {**({"Content-Type": kind} if data is not None else {}), **(headers or {})}
        self.connection = self.connection or UnixConnection(self.data / "admin.sock")
        try:
            self.connection.request(method, target, data, all_headers)
            return Answer(self.connection.getresponse())
        except (http.client.HTTPException, OSError):
            self.close_http()
            raise

    def ask(self, method, path, body=None, headers=None):
        """http() that must be answered with 2xx; the JSON."""
        answer = self.http(method, path, body, headers)
        if not 200 <= answer.status < 300:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.body.decode(errors='replace')}")
        return answer.json

    def items(self, path):
        """The items of all pages of a list."""
        found, cursor = [], ""
        while True:
            page = self.ask("GET", path + ("&" if "?" in path else "?") + "limit=1000" + cursor)
            found += page["items"]
            if "next_cursor" not in page:
                return found
            cursor = "&cursor=" + page["next_cursor"]

    def cli(self, *args, code=0, stdin=None):
        """The command line against this broker; must end with `code`; its process with texts."""
        done = subprocess.run([IOTSKY, "--data", self.data, *args], input=stdin, text=True,
                              capture_output=True, timeout=START_S, env=self.environment)
        if done.returncode != code:
            raise AssertionError(f"iotsky {' '.join(map(str, args))}: {done.returncode}, not {code}\n"
                                 f"{done.stdout}\n{done.stderr}")
        return done

    def make_class(self, name="7b", **settings):
        limits = {"things_per_project_max": 10000, "messages_per_second": 100000, "burst": 100000}
        return self.ask("POST", "/classes", {"name": name, "limits": limits, **settings})

    def make_thing(self, path, **fields):
        """A thing with key and certificate, in files; `path` is class/project/thing."""
        klass, project, name = path.split("/")
        body = {"class": klass, "project": project, "name": name, **fields}
        answer = self.ask("POST", "/things", body)
        identity = Identity(self.root / "things" / path.replace("/", "_"), path, answer)
        identity.answer = answer
        return identity

    def explain(self, identity, action, topic):
        return self.ask("POST", "/explain",
                        {"identity": identity, "action": action, "topic": topic})


class OwnBrokerTest(unittest.TestCase):
    """Tests of which each has a broker of its own; `options` are the broker's."""
    options = {}

    def setUp(self):
        self.broker = Broker(**self.options)
        self.broker.__enter__()
        self.addCleanup(self.broker.__exit__, None, None, None)


class BrokerTest(unittest.TestCase):
    """Tests that share one broker with a class 7b in it; `options` are the broker's."""
    options = {}

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(**cls.options)
        cls.broker.__enter__()
        cls.addClassCleanup(cls.broker.__exit__, None, None, None)
        cls.broker.make_class("7b")


class PlainBrokerTest(BrokerTest):
    """The same with a listener without TLS, at `port`, and clients of it."""
    options = {"plain": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = cls.broker.port("plain")

    def client(self, name, **options):
        client = Client(self.port)
        self.addCleanup(client.sock.close)
        client.was_present = client.connect(name, **options)
        return client


# Debian's mosquitto clients

def mosquitto_pub(port, *options, code=0, seconds=WAIT_S):
    done = subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), *map(str, options)],
                          capture_output=True, text=True, timeout=seconds)
    if code is not None and done.returncode != code:
        raise AssertionError(f"mosquitto_pub: {done.returncode}, not {code}: {done.stderr}")
    return done


class MosquittoSub:
    """mosquitto_sub that is subscribed when the constructor returns."""

    def __init__(self, port, *options, count=1, seconds=WAIT_S):
        self.process = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-d", "-F",
             "MESSAGE %t %p", "-C", str(count), "-W", str(seconds), *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("Subscribed"):
                return
        self.process.wait()
        raise AssertionError("mosquitto_sub is not subscribed:\n" + "".join(self.said))

    def messages(self):
        """Waits for its end: [(topic, payload)]."""
        out, _ = self.process.communicate(timeout=WAIT_S + 5)
        lines = "".join(self.said) + out
        found = [l.split(" ", 2)[1:] for l in lines.splitlines() if l.startswith("MESSAGE ")]
        return [(topic, payload) for topic, payload in found]

    def close(self):
        self.process.kill()
        self.process.communicate()
