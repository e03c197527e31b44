"""A class at once: thirty pupils from a table, thirty zip files whose certificates connect."""
import io
import json
import pathlib
import time
import unittest
import zipfile

from harness import OwnBrokerTest, mosquitto_pub
from tiny_mqtt import Client, tls_context

PUPILS = 30


class Roster(OwnBrokerTest):
    def setUp(self):
        super().setUp()
        self.broker.make_class("7b")
        self.table = self.broker.root / "7b.csv"
        rows = "".join(f"{i};Jürgen Nr. {i}\r\n" for i in range(PUPILS))
        self.table.write_bytes(("Nr;Name\r\n" + rows).encode("cp1252"))
        self.zips = self.broker.root / "zips"

    def unpack(self, file):
        """The files of a bundle's certs/, in a folder of their own."""
        folder = self.broker.root / "unpacked" / file.stem
        with zipfile.ZipFile(file) as archive:
            self.assertIsNone(archive.testzip())
            archive.extractall(folder)
        certs = next(p for p in folder.rglob("device.crt")).parent
        return certs, [p.name for p in folder.rglob("*")]

    def test_thirty_rows_make_thirty_bundles_that_connect(self):
        dry = self.broker.cli("roster", "import", "7b", self.table, "--thing", "weather", "--dry-run")
        self.assertIn("30 would be new", dry.stdout)
        self.assertEqual(self.broker.items("/classes/7b/students"), [])
        began = time.monotonic()
        self.broker.cli("roster", "import", "7b", self.table, "--thing", "weather", "--bundles", self.zips)
        print(f"\n{PUPILS} pupils to {PUPILS} bundles: {time.monotonic() - began:.2f} s", flush=True)
        files = sorted(self.zips.glob("*.zip"))
        self.assertEqual(len(files), PUPILS)
        self.assertEqual(len({f.read_bytes() for f in files}), PUPILS)
        students = self.broker.items("/classes/7b/students")
        self.assertEqual(len(students), PUPILS)
        self.assertIn("Jürgen Nr. 0", {s["real_name"] for s in students})
        for file in files:
            with self.subTest(bundle=file.name):
                certs, names = self.unpack(file)
                self.assertIn("secrets.h", names)
                mosquitto_pub(self.broker.port(), "--cafile", certs / "ca.crt", "--cert",
                              certs / "device.crt", "--key", certs / "device.key", "-q", "1", "-t",
                              "$me/hello", "-m", file.stem)
        self.assertEqual(sum(1 for p in self.broker.data.rglob("*") if p.is_file() and
                             (certs / "device.key").read_bytes() in p.read_bytes()), 0)

    def test_a_second_import_changes_nothing(self):
        args = ["roster", "import", "7b", self.table, "--thing", "weather"]
        self.broker.cli(*args)
        before = self.broker.items("/things?class=7b")
        again = self.broker.cli(*args)
        self.assertIn("30 already there", again.stdout)
        self.assertEqual(self.broker.items("/things?class=7b"), before)

    def test_a_wrong_row_is_named(self):
        self.table.write_text("name,pseudonym\nAnna,otter\nBen,not ok!\n")
        said = self.broker.cli("roster", "import", "7b", self.table, code=7)
        self.assertRegex(said.stdout, r"(?m)^\s*3\b.*problem")

    def test_later_bundles_have_fresh_certificates_and_can_end_the_old_ones(self):
        old = self.broker.make_thing("7b/otter/weather")
        self.broker.make_thing("7b/heron/door")
        self.broker.cli("bundle", "make", "7b/otter/weather", "--out", self.zips, "--revoke-old")
        certs, _ = self.unpack(next(self.zips.glob("*.zip")))
        with Client(self.broker.port(), tls_context(old)) as client:
            client.connect("a", code=5)
        mosquitto_pub(self.broker.port(), "--cafile", certs / "ca.crt", "--cert", certs / "device.crt",
                      "--key", certs / "device.key", "-q", "1", "-t", "$me/x", "-m", "1")
        answer = self.broker.http("POST", "/classes/7b/bundles", {})
        self.assertEqual(answer.status, 200)
        with zipfile.ZipFile(io.BytesIO(answer.body)) as archive:
            folders = {str(pathlib.PurePosixPath(n).parent.parent) for n in archive.namelist()
                       if n.endswith("certs/device.crt")}
        self.assertEqual(folders, {"otter/weather", "heron/door"})

    def test_a_bundle_ticket_works_once(self):
        answer = self.broker.make_thing("7b/otter/weather", board="esp32-arduino").answer
        url = answer["bundle_url"].removeprefix("/api/v1")
        self.assertEqual(self.broker.http("GET", url).headers["Content-Type"], "application/zip")
        gone = self.broker.http("GET", url)
        self.assertEqual((gone.status, gone.json["code"]), (410, "E4122"))
        self.assertEqual(json.loads(gone.body)["status"], 410)


if __name__ == "__main__":
    unittest.main(verbosity=2)
