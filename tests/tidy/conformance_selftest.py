#!/usr/bin/env python3
"""The check of the conformance page finds what it is there to find: each planted disagreement, and none in a tree that agrees."""
import pathlib
import tempfile
import unittest

import conformance

CODE = "broker/protocol.cpp"
WIRE, UNIT, SYSTEM = "tests/wire/a.txt", "tests/unit/a_test.cpp", "tests/system/a_test.py"


def row(statement, **changes):
    """A row as it should be, for a tree() as it should be."""
    if statement in conformance.CLIENT_ONLY:
        cells = {"binds": "client", "what": "Closes.", "files": "-", "tests": "-"}
    else:
        cells = {"binds": "both", "what": "Does it.", "files": f"`{CODE}`", "tests": f"`{WIRE}`: {statement} holds"}
    if statement in conformance.DOES_NOT_APPLY:
        cells.update(what="does not apply: no such thing.", files="-", tests="-")
    cells.update(changes)
    return "| [MQTT-{0}] | {binds} | {what} | {files} | {tests} |".format(statement, **cells)


def marked():
    return [s for s in conformance.statements()
            if s not in conformance.CLIENT_ONLY and s not in conformance.DOES_NOT_APPLY]


class Conformance(unittest.TestCase):
    def setUp(self):
        self.rows = {s: row(s) for s in conformance.statements()}
        self.points = [f"| {n} | a point | `{WIRE}`: 1.5.3-1 holds |" for n in range(1, 17)]
        self.files = {
            CODE: "".join(f"// [MQTT-{s}]\n" for s in marked()),
            WIRE: "".join(f"[MQTT-{s}] {s} holds | connect(id=%) | connack | open\n" for s in marked()),
            UNIT: 'TEST_CASE("one promise") {}\nTEST_CASE(\n    "[MQTT-2.2.2-1] two lines "\n    "of \\"it\\"") {}\n',
            SYSTEM: 'class A:\n    def test_a(self):\n        """[MQTT-2.2.2-1]"""\n\n    def test_b(self):\n        pass\n',
        }

    def found(self):
        page = "\n".join([*self.rows.values(), *self.points])
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**self.files, conformance.PAGE: page}.items():
                file = pathlib.Path(folder, path)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            return list(conformance.violations(pathlib.Path(folder)))

    def one(self, *words):
        found = self.found()
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def change(self, statement, **changes):
        self.rows[statement] = row(statement, **changes)

    def test_agreement(self):
        self.change("2.2.2-1", tests=f'`{UNIT}`: two lines of "it"<br>`{SYSTEM}`: test_a<br>`{WIRE}`: 2.2.2-1 holds')
        self.assertEqual(self.found(), [])

    def test_every_statement_has_one_row(self):
        del self.rows["3.3.1-7"]
        self.one("3.3.1-7", "0 rows")
        self.rows["3.3.1-7"] = "\n".join([row("3.3.1-7")] * 2)
        self.assertTrue(any("2 rows" in v for v in self.found()))

    def test_rows_stand_in_order(self):
        self.rows["4.8.0-1"], self.rows["4.8.0-2"] = self.rows["4.8.0-2"], self.rows["4.8.0-1"]
        self.one("order")

    def test_a_row_for_no_statement(self):
        self.rows["x"] = row("3.3.3-1", files="-", tests="-", what="not yet: it")
        self.assertIn("is no statement", self.found()[0])

    def test_a_mark_of_no_statement_in_code_and_tests(self):
        self.files[CODE] += "// [MQTT-3.3.1-13]\n"
        self.one(CODE, "3.3.1-13", "no statement")
        self.setUp()
        self.files[UNIT] += 'TEST_CASE("[MQTT-4.2.0-1] x") {}\n'
        self.one(UNIT, "4.2.0-1", "no statement")

    def test_who_is_bound_is_not_for_the_page_to_say(self):
        self.change("3.1.2-24", binds="client")
        self.one("3.1.2-24", "binds")

    def test_no_file_or_no_test(self):
        self.change("3.1.2-24", files="-")
        self.one("3.1.2-24", "name a file", CODE)
        self.change("3.1.2-24", tests="-")
        self.one("3.1.2-24", "name a test", "3.1.2-24 holds")

    def test_no_answer(self):
        self.change("3.1.2-24", what="")
        self.one("3.1.2-24", "say what")

    def test_a_file_without_the_mark_or_that_is_not_there(self):
        self.files["broker/other.cpp"] = ""
        self.change("3.1.2-24", files="`broker/other.cpp`")
        self.one("broker/other.cpp", "does not carry")
        self.change("3.1.2-24", files="`broker/gone.cpp`")
        self.one("broker/gone.cpp", "no source file")

    def test_a_mark_that_leaves_the_code(self):
        self.files[CODE] = self.files[CODE].replace("[MQTT-4.4.0-1]", "")
        self.one("4.4.0-1", CODE)

    def test_a_test_without_the_mark_or_that_is_not_there(self):
        self.change("3.1.2-24", tests=f"`{UNIT}`: one promise")
        self.one("one promise", "carry")
        self.change("3.1.2-24", tests=f"`{SYSTEM}`: test_b")
        self.one("test_b", "carry")
        self.change("3.1.2-24", tests=f"`{WIRE}`: renamed")
        self.one("renamed", "no test")
        self.change("3.1.2-24", tests="`tests/wire/gone.txt`: x")
        self.one("gone.txt", "no file")
        self.change("3.1.2-24", tests="somewhere")
        self.one("`file`: name")

    def test_a_mark_that_leaves_a_test(self):
        self.files[WIRE] = self.files[WIRE].replace("[MQTT-4.4.0-1]", "[MQTT-4.4.0-1a]")
        self.assertTrue(any("4.4.0-1" in v for v in self.found()))

    def test_a_step_of_a_conversation_is_no_test(self):
        self.files[WIRE] += "\n= a block\nA> connect(id=%) | x\n"
        self.change("3.1.2-24", tests=f"`{WIRE}`: A> connect(id=%)")
        self.one("no test")

    def test_not_yet_is_a_gap_and_not_a_way_out(self):
        for folder in CODE, WIRE:
            self.files[folder] = "".join(line for line in self.files[folder].splitlines(True) if "[MQTT-6.0.0-1]" not in line)
        self.change("6.0.0-1", what="not yet: no WebSocket", files="-", tests="-")
        self.assertEqual(self.found(), [])
        self.files[CODE] += "// [MQTT-6.0.0-1]\n"
        self.assertTrue(any("'not yet', but the mark is there" in v for v in self.found()))

    def test_only_few_do_not_apply(self):
        self.change("6.0.0-4", what="does not apply: we do not like it", files="-", tests="-")
        self.assertTrue(any("name a file" in v for v in self.found()))

    def test_a_statement_for_clients_that_code_or_tests_know(self):
        self.files[CODE] += "// [MQTT-3.14.4-1]\n"
        self.one("3.14.4-1", "name a file")
        self.setUp()
        self.files[UNIT] += 'TEST_CASE("[MQTT-3.14.4-1] x") {}\n'
        self.one("3.14.4-1", "name a test")

    def test_sixteen_points(self):
        last = self.points.pop()
        self.one("rows 1 to 16")
        self.points.append(last.replace("1.5.3-1 holds", "gone"))
        self.one("point 16", "no test")
        self.points[15] = "| 16 | a point | - |"
        self.one("point 16", "name a test")


if __name__ == "__main__":
    unittest.main()
