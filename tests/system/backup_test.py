"""A backup made while the broker works is a whole broker: restored, its devices, sessions and messages are there."""
import http.server
import json
import os
import pathlib
import pty
import shutil
import signal
import socketserver
import subprocess
import tempfile
import termios
import threading
import unittest

from harness import FOLDER, IOTSKY, Broker, OwnBrokerTest, eventually
from tiny_mqtt import Client, tls_context

SECRET = "correct horse\n"


class BackupAndRestore(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        self.broker.make_class("7b")
        self.file = self.broker.root / "iotsky.backup"
        self.secret = self.broker.root / "secret"
        self.secret.write_text(SECRET)
        self.secret.chmod(0o600)

    def create(self, *options):
        return self.broker.cli("backup", "create", "--to", self.file, "--passphrase-file", self.secret,
                               *options)

    def restore(self, *options, code=0, data=None, secret=None):
        return subprocess.run([IOTSKY, "--data", data or self.broker.data, "backup", "restore", self.file,
                               "--passphrase-file", secret or self.secret, *options],
                              capture_output=True, text=True, timeout=60)

    def connect(self, identity, name, broker=None, **options):
        client = Client((broker or self.broker).port(), tls_context(identity))
        self.addCleanup(client.sock.close)
        client.was_present = client.connect(name, **options)
        return client

    def test_a_backup_made_under_load_holds_what_was_acknowledged_before_it(self):
        sender = self.broker.make_thing("7b/otter/sender")
        receiver = self.broker.make_thing("7b/otter/receiver")
        gone = self.broker.make_thing("7b/otter/gone")
        late = self.connect(receiver, "r", clean=False)
        late.subscribe("7b/otter/#", qos=1)
        late.disconnect()
        publisher = self.connect(sender, "s")
        publisher.publish("7b/otter/sender/retained", b"kept", 1, retain=True)
        for n in range(200):
            publisher.publish("7b/otter/sender/x", b"%d" % n, 1)
        self.broker.ask("POST", f"/certificates/{gone.certificate['id']}:revoke", {})
        stop, acknowledged = threading.Event(), []

        def load():
            while not stop.is_set():
                publisher.publish("7b/otter/sender/x", b"%d" % (200 + len(acknowledged)), 1)
                acknowledged.append(1)

        writer = threading.Thread(target=load)
        writer.start()
        eventually(lambda: len(acknowledged) > 50, "messages flow")
        try:
            before = len(acknowledged)
            made = self.create()
        finally:
            stop.set()
            writer.join()
        self.assertIn(str(self.file), made.stdout)
        self.assertEqual(self.file.stat().st_mode & 0o777, 0o600)
        self.assertEqual(list((self.broker.data / "backup").iterdir()), [])
        self.broker.cli("backup", "verify", self.file, "--passphrase-file", self.secret)

        self.broker.stop()
        shutil.rmtree(self.broker.data)
        self.assertEqual(self.restore("--yes").returncode, 0)
        self.broker.start()
        back = self.connect(receiver, "r", clean=False)
        self.assertTrue(back.was_present)
        found = [back.message() for _ in range(201 + before)]
        self.assertEqual(found[0].payload, b"kept")
        self.assertEqual([m.payload for m in found[1:]], [b"%d" % n for n in range(200 + before)])
        fresh = self.connect(sender, "f")
        fresh.subscribe("7b/otter/sender/retained")
        self.assertEqual(fresh.message().payload, b"kept")
        with Client(self.broker.port(), tls_context(gone)) as client:
            client.connect("g", code=5)

    def test_a_restore_asks_for_the_folder_the_passphrase_and_an_answer(self):
        self.broker.make_thing("7b/otter/weather")
        self.create()
        running = self.restore("--yes")
        self.assertEqual(running.returncode, 5)
        self.assertIn("E1157", running.stderr)
        self.broker.make_thing("7b/otter/after")
        self.broker.stop()
        wrong = self.broker.root / "wrong"
        wrong.write_text("another passphrase\n")
        wrong.chmod(0o600)
        refused = self.restore("--yes", secret=wrong)
        self.assertIn("E5104", refused.stderr)
        unanswered = self.restore()
        self.assertEqual(unanswered.returncode, 2)
        self.assertIn("in place of registry.db, messages.db, ca", unanswered.stderr)
        self.broker.start()
        self.assertEqual(len(self.broker.items("/things")), 2)
        self.broker.stop()
        done = self.restore("--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        kept = next(self.broker.data.glob("before-restore-*"))
        self.assertTrue((kept / "registry.db").exists())
        self.broker.start()
        self.assertEqual([t["path"] for t in self.broker.items("/things")], ["7b/otter/weather"])

    def test_a_backup_without_a_passphrase_must_be_wanted(self):
        refused = self.broker.cli("backup", "create", "--to", self.file, code=2)
        self.assertIn("--i-know-it-is-not-encrypted", refused.stderr)
        self.broker.cli("backup", "create", "--to", self.file, "--i-know-it-is-not-encrypted")
        self.broker.cli("backup", "verify", self.file)
        short = self.broker.root / "short"
        short.write_text("short\n")
        short.chmod(0o600)
        refused = self.broker.cli("backup", "create", "--passphrase-file", short, code=2)
        self.assertIn("E5108", refused.stderr)

    def test_backups_in_the_folder_are_listed_restored_by_name_and_deleted(self):
        self.broker.make_thing("7b/otter/weather")
        self.broker.cli("backup", "create", "--passphrase-file", self.secret)
        listed = self.broker.items("/backups")
        self.assertEqual([b["state"] for b in listed], ["done"])
        self.broker.make_thing("7b/otter/after")
        self.broker.stop()
        self.file = "made-"
        self.assertEqual(self.restore("--yes").returncode, 0)
        self.broker.start()
        self.assertEqual(len(self.broker.items("/things")), 1)
        name = listed[0]["name"]
        self.assertEqual(self.broker.http("DELETE", f"/backups/{name}").status, 200)
        self.assertEqual(self.broker.items("/backups"), [])

    def test_on_another_machine_under_another_address_devices_still_trust_it(self):
        thing = self.broker.make_thing("7b/otter/weather")
        self.create()
        with Broker() as other:
            other.stop()
            done = self.restore("--yes", "--as-new-host", data=other.data)
            self.assertEqual(done.returncode, 0, done.stderr)
            other.start()
            self.connect(thing, "a", other).publish("$me/x", b"1", 1)


class Verify(OwnBrokerTest):
    """The keys of a CA in a scratch folder outlive nothing."""
    TRIES = 30

    def setUp(self):
        super().setUp()
        self.file = self.broker.root / "iotsky.backup"
        self.scratch = self.broker.root / "scratch"
        self.scratch.mkdir()
        self.broker.cli("backup", "create", "--to", self.file, "--i-know-it-is-not-encrypted")
        self.broker.stop()

    def verify(self):
        return subprocess.Popen([IOTSKY, "backup", "verify", self.file], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env={**os.environ, "TMPDIR": str(self.scratch)})

    def caught_with_keys(self):
        """A process that stands still while keys lie in its folder."""
        for _ in range(self.TRIES):
            process = self.verify()
            while process.poll() is None:
                if any(self.scratch.glob("*/ca/device-ca.key")):
                    process.send_signal(signal.SIGSTOP)
                    if any(self.scratch.glob("*/ca/device-ca.key")):
                        return process
                    process.send_signal(signal.SIGCONT)
            process.communicate()
        self.fail("it is too quick to be caught")

    def test_it_leaves_nothing(self):
        process = self.verify()
        process.communicate()
        self.assertEqual(process.returncode, 0)
        self.assertEqual(list(self.scratch.iterdir()), [])

    def test_whatever_ends_it_the_keys_are_gone(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            with self.subTest(number.name):
                process = self.caught_with_keys()
                process.send_signal(number)
                process.send_signal(signal.SIGCONT)
                process.communicate(timeout=60)  # and nobody holds the pipe open
                self.assertIn(process.returncode, (-number, 130))
                eventually(lambda: not list(self.scratch.iterdir()), "the folder goes")


class Terminal(unittest.TestCase):
    def test_a_signal_at_the_question_of_a_restore_leaves_no_keys_and_no_lock(self):
        with Broker() as broker, tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            file = broker.root / "iotsky.backup"
            broker.cli("backup", "create", "--to", file, "--i-know-it-is-not-encrypted")
            data = pathlib.Path(folder)
            data.chmod(0o700)
            ours, theirs = pty.openpty()
            self.addCleanup(os.close, ours)
            self.addCleanup(os.close, theirs)
            process = subprocess.Popen([IOTSKY, "--data", data, "backup", "restore", file], stdin=theirs,
                                       stdout=theirs, stderr=theirs)
            said = b""
            while b"?" not in said:
                said += os.read(ours, 1000)
            self.assertTrue(any(data.glob(".iotsky-scratch-*/ca/device-ca.key")))
            watcher = int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
            os.kill(watcher, signal.SIGSTOP)  # what it holds open stays so
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), 130)
            again = subprocess.run([IOTSKY, "--data", data, "backup", "restore", file], capture_output=True, text=True,
                                   timeout=60)
            self.assertEqual(again.returncode, 2, again.stderr)  # nobody answers; the folder is free
            self.assertIn("E1171", again.stderr)
            os.kill(watcher, signal.SIGCONT)
            eventually(lambda: [f.name for f in data.iterdir()] == ["lock"], "what was unpacked goes")

    def test_a_signal_while_the_passphrase_is_asked_for_leaves_the_echo_on(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name), tempfile.TemporaryDirectory(dir=FOLDER) as folder:
                ours, theirs = pty.openpty()
                self.addCleanup(os.close, ours)
                self.addCleanup(os.close, theirs)

                def echoes():
                    return bool(termios.tcgetattr(ours)[3] & termios.ECHO)

                self.assertTrue(echoes())
                process = subprocess.Popen([IOTSKY, "--data", folder, "backup", "create"], stdin=theirs,
                                           stdout=theirs, stderr=theirs)
                eventually(lambda: not echoes(), "the passphrase is asked for")
                process.send_signal(number)
                self.assertIn(process.wait(60), (-number, 130))
                self.assertTrue(echoes())


class AnotherAccount(unittest.TestCase):
    """A broker whose folder of backups this account cannot enter: only the socket answers."""

    def test_a_backup_that_cannot_be_fetched_is_told_with_its_place(self):
        made = {"name": "made-x", "state": "done", "file": "/nonexistent/backup/made-x.backup", "left_out": []}

        class Answers(http.server.BaseHTTPRequestHandler):
            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                body = json.dumps(made).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = answer

            def address_string(self):
                return "socket"

            def log_message(self, *args):
                pass

        with tempfile.TemporaryDirectory(dir=FOLDER) as folder:
            with socketserver.ThreadingUnixStreamServer(f"{folder}/admin.sock", Answers) as server:
                server.daemon_threads = True
                threading.Thread(target=server.serve_forever, daemon=True).start()
                done = subprocess.run([IOTSKY, "--data", folder, "backup", "create", "--to", f"{folder}/copy",
                                       "--i-know-it-is-not-encrypted"], capture_output=True, text=True, timeout=60)
                server.shutdown()
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn("E5112", done.stderr)
            self.assertIn(made["file"], done.stderr)
            self.assertFalse(os.path.exists(f"{folder}/copy"))


class AutomaticBackups(OwnBrokerTest):
    options = {"config": Broker.__init__.__defaults__[0] + "\n[backup]\nevery = \"24h\"\n"}

    def test_the_first_one_is_made_at_once(self):
        made = eventually(lambda: [b for b in self.broker.items("/backups") if b["state"] == "done"],
                          "an automatic backup")
        self.assertEqual([b["kind"] for b in made], ["automatic"])
        self.broker.cli("backup", "verify", pathlib.Path(made[0]["file"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
