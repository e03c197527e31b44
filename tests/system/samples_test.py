"""The samples of a bundle, unpacked and run as they are, against a broker: what a student does."""
import contextlib
import io
import os
import queue
import subprocess
import sys
import threading
import time
import unittest
import zipfile

from harness import WAIT_S, BrokerTest
from tiny_mqtt import Client, tls_context


class Lines:
    """What a program writes, line by line."""

    def __init__(self, command):
        self.process = subprocess.Popen(["stdbuf", "-oL", *map(str, command)], stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True,
                                        env={**os.environ, "PYTHONUNBUFFERED": "1"})
        self.lines, self.said = queue.Queue(), []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def until(self, word, seconds=WAIT_S):
        """The first line with `word`."""
        while True:
            line = self.lines.get(timeout=seconds)
            if line is None:
                raise AssertionError(f"it ended without {word!r}:\n" + "\n".join(self.said))
            self.said.append(line)
            if word in line:
                return line

    def until_asked(self, ask, word):
        """The same, asked again and again: the program may not have subscribed yet."""
        end = time.monotonic() + WAIT_S
        while True:
            ask()
            try:
                return self.until(word, 1)
            except queue.Empty:
                if time.monotonic() > end:
                    raise

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Samples(BrokerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.neighbour = cls.broker.make_thing("7b/heron/door")
        cls.thing = cls.broker.make_thing("7b/otter/weather")
        answer = cls.broker.http("POST", "/things/7b:otter:weather/bundle", {})
        assert answer.status == 200, answer.body
        cls.folder = cls.broker.root / "bundle"
        with zipfile.ZipFile(io.BytesIO(answer.body)) as bundle:
            bundle.extractall(cls.folder)
        cls.shell, cls.python = cls.folder / "shell", cls.folder / "python" / "weather.py"

    def lines(self, *command):
        program = Lines(command)
        self.addCleanup(program.close)
        return program

    def watcher(self, name, topic):
        client = Client(self.broker.port(), tls_context(self.thing))
        self.addCleanup(client.sock.close)
        client.connect(name)
        client.subscribe(topic, qos=1)
        return client

    def test_check_finds_nothing_wrong(self):
        done = subprocess.run(["sh", self.shell / "check.sh"], capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("FAIL", done.stdout)
        self.assertIn("the broker can be reached", done.stdout)

    def test_check_tells_what_is_wrong(self):
        key = self.folder / "certs" / "device.key"
        with contextlib.ExitStack() as restore:
            restore.callback(key.write_bytes, key.read_bytes())
            key.write_text(self.neighbour.key.read_text())
            done = subprocess.run(["sh", self.shell / "check.sh"], capture_output=True, text=True, timeout=WAIT_S)
        self.assertEqual(done.returncode, 1)
        self.assertIn("FAIL  certificate and key belong together", done.stdout)

    def test_shell_scripts_talk_to_each_other(self):
        sub = self.lines("sh", self.shell / "sub.sh")
        def say():
            subprocess.run(["sh", self.shell / "pub.sh", "hello", "world"], check=True, timeout=WAIT_S)
        self.assertEqual(sub.until_asked(say, "hello"), "$me/hello world")

    def test_the_python_program_sends_receives_and_prints_refusals(self):
        watcher = self.watcher("watcher", "7b/otter/weather/#")
        program = self.lines(sys.executable, self.python)
        program.until("[mqtt] connected as 7b/otter/weather")
        seen = {}
        while not {"7b/otter/weather/status", "7b/otter/weather/temp"} <= seen.keys():
            message = watcher.message()
            seen[message.topic] = message.payload
        self.assertEqual(seen["7b/otter/weather/status"], b"online")
        self.assertGreaterEqual(float(seen["7b/otter/weather/temp"]), 20)
        program.until_asked(lambda: watcher.publish("7b/otter/weather/set/led", b"on", 1), "[recv] $me/set/led on")
        watcher.publish("7b/heron/door", b"x", 1)  # the same thing: its notice reaches the program
        self.assertIn("E3101", program.until("$me/notice"))
        program.process.kill()  # without DISCONNECT
        while watcher.message().payload != b"offline":
            pass


if __name__ == "__main__":
    unittest.main(verbosity=2)
