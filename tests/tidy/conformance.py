#!/usr/bin/env python3
"""Checks docs/conformance.md against the marks `[MQTT-x.y.z-n]` in code and tests, in both directions.

Every statement of the standard has one row. A row of a statement that binds servers names files that carry its mark
and tests whose names carry it; where a row names a file or a test, it is there. Every mark is a statement of the
standard and stands in a row that knows of it. Prints each violation, exits 1 if there is one.
"""
import collections
import pathlib
import re
import sys

# MQTT 3.1.1 (OASIS standard), appendix B and section 7.1: how many statements each section numbers.
STATEMENTS = [
    ("1.5.3", 3), ("2.2.2", 2), ("2.3.1", 7), ("3.1.0", 2), ("3.1.2", 24), ("3.1.3", 11), ("3.1.4", 5), ("3.2.0", 1),
    ("3.2.2", 6), ("3.3.1", 12), ("3.3.2", 3), ("3.3.4", 1), ("3.3.5", 2), ("3.6.1", 1), ("3.8.1", 1), ("3.8.3", 4),
    ("3.8.4", 6), ("3.9.3", 2), ("3.10.1", 1), ("3.10.3", 2), ("3.10.4", 6), ("3.12.4", 1), ("3.14.1", 1),
    ("3.14.4", 3), ("4.1.0", 2), ("4.3.1", 1), ("4.3.2", 2), ("4.3.3", 2), ("4.4.0", 1), ("4.5.0", 2), ("4.6.0", 6),
    ("4.7.1", 3), ("4.7.2", 1), ("4.7.3", 4), ("4.8.0", 2), ("6.0.0", 4), ("7.0.0", 2), ("7.1.1", 1), ("7.1.2", 1),
]
# What only clients must do, or only clients write; all others bind the server, alone or too.
CLIENT_ONLY = set("""
    2.3.1-2 2.3.1-3 3.1.0-1 3.1.2-11 3.1.2-13 3.1.2-14 3.1.2-15 3.1.2-18 3.1.2-19 3.1.2-20 3.1.2-21 3.1.2-22 3.1.2-23
    3.1.3-1 3.1.3-3 3.1.3-4 3.1.3-7 3.1.3-10 3.1.3-11 3.8.3-1 3.8.3-3 3.10.3-1 3.10.3-2 3.14.4-1 3.14.4-2 4.5.0-2
    6.0.0-3 7.1.2-1
""".split())
DOES_NOT_APPLY = {"7.0.0-1"}  # iotsky opens no connections to other servers
TRICKY_POINTS = 16

CODE = ("base", "broker", "acl", "certs", "provisioning", "services", "storage", "api", "apps")
PAGE = "docs/conformance.md"
MARK = re.compile(r"\bMQTT-(\d+\.\d+\.\d+-\d+)\b")
MARK_IN_NAME = re.compile(r"\[MQTT-[\d.]+(?:-\d+)?\]\s*")
TEST_CASE = re.compile(r'\bTEST_CASE\(\s*((?:"(?:[^"\\]|\\.)*"\s*)+)\)')
TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"')
PY_TEST = re.compile(r"^ *def (test_\w+)\(.*?(?=^ *(?:def|class) |\Z)", re.M | re.S)
NAMED_TEST = re.compile(r"^`([^`]+)`: (.+)$")

Row = collections.namedtuple("Row", "statement binds what files tests")


def statements():
    return [f"{section}-{n}" for section, count in STATEMENTS for n in range(1, count + 1)]


def read(path: pathlib.Path):
    return path.read_text(encoding="utf-8", errors="replace")


def listed(cell: str):
    return [] if cell == "-" else [part.strip() for part in cell.split("<br>")]


def cells(line: str):
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def rows(page: str):
    """Rows of statements, and rows of the sixteen points as (number, what, tests)."""
    found, points = [], []
    for line in page.splitlines():
        if line.startswith("| [MQTT-"):
            statement, binds, what, files, tests = cells(line)
            found.append(Row(MARK.search(statement).group(1), binds, what,
                             [f.strip("`") for f in listed(files)], listed(tests)))
        elif re.match(r"\| \d+ \|", line):
            number, what, tests = cells(line)
            points.append((int(number), what, listed(tests)))
    return found, points


def wire_names(text: str):
    in_block = False
    for line in text.splitlines():
        if not line.strip():
            in_block = False
        elif in_block or line.startswith("#"):
            continue
        elif line.startswith("= "):
            in_block = True
            yield line[2:].strip()
        elif " | " in line:
            yield line.split(" | ")[0].strip()


def tests_of(path: str, text: str):
    """(name without marks, marks) of each test in a file. A Python test carries its marks in its text."""
    if path.endswith(".py"):
        for test in PY_TEST.finditer(text):
            yield test.group(1), set(MARK.findall(test.group(0)))
        return
    names = wire_names(text) if path.endswith(".txt") else (
        "".join(TEXT.findall(case)).replace('\\"', '"') for case in TEST_CASE.findall(text))
    for name in names:
        yield MARK_IN_NAME.sub("", name).strip(), set(MARK.findall(name))


class Tree:
    """What the sources say: marks of each code file, tests of each test file with their marks."""

    def __init__(self, root: pathlib.Path):
        self.root, self.code, self.tests, self.test_marks = root, {}, {}, {}
        for folder in CODE:
            for file in sorted((root / folder).rglob("*.?pp")):
                self.code[file.relative_to(root).as_posix()] = set(MARK.findall(read(file)))
        for file in sorted((root / "tests").rglob("*")):
            path = file.relative_to(root).as_posix()
            if file.suffix not in (".cpp", ".hpp", ".txt", ".py") or path.startswith("tests/tidy/"):
                continue
            text = read(file)
            self.test_marks[path] = set(MARK.findall(text))
            self.tests[path] = {}
            for name, marks in tests_of(path, text):
                self.tests[path][name] = self.tests[path].get(name, set()) | marks

    def marked_files(self, mark: str):
        return [path for path, marks in self.code.items() if mark in marks]

    def marked_tests(self, mark: str):
        return [name for tests in self.tests.values() for name, marks in tests.items() if mark in marks]


def check_test(tree: Tree, where: str, test: str, mark=None):
    named = NAMED_TEST.match(test)
    if not named:
        yield f"{where}: write a test as `file`: name, not {test!r}"
    elif not tree.tests.get(named.group(1)):
        yield f"{where}: {named.group(1)} is no file with tests"
    elif named.group(2) not in tree.tests[named.group(1)]:
        yield f"{where}: {named.group(1)} has no test {named.group(2)!r}"
    elif mark and mark not in tree.tests[named.group(1)][named.group(2)]:
        yield f"{where}: the test {named.group(2)!r} does not carry the mark"


def check_row(tree: Tree, row: Row):
    where = f"[MQTT-{row.statement}]"
    client_only = row.statement in CLIENT_ONLY
    if (row.binds == "client") != client_only or row.binds not in ("client", "server", "both"):
        yield f"{where}: binds {'client' if client_only else 'server or both'}, not {row.binds!r}"
    if not row.what or row.what == "-":
        yield f"{where}: say what iotsky does"
    for file in row.files:
        if file not in tree.code:
            yield f"{where}: {file} is no source file"
        elif row.statement not in tree.code[file]:
            yield f"{where}: {file} does not carry the mark"
    for test in row.tests:
        yield from check_test(tree, where, test, row.statement)
    excused = row.what.startswith("not yet:") or (
        row.what.startswith("does not apply:") and row.statement in DOES_NOT_APPLY)
    marked_files, marked_tests = tree.marked_files(row.statement), tree.marked_tests(row.statement)
    if excused and (row.files or row.tests or marked_files or marked_tests):
        yield f"{where}: the row says {row.what.split(':')[0]!r}, but the mark is there: {marked_files + marked_tests}"
    if not row.files and (marked_files or not (excused or client_only)):
        yield f"{where}: name a file with the mark; those that have it: {marked_files}"
    if not row.tests and (marked_tests or not (excused or client_only)):
        yield f"{where}: name a test with the mark; those that have it: {marked_tests}"


def check_points(tree: Tree, points):
    if [number for number, _, _ in points] != list(range(1, TRICKY_POINTS + 1)):
        yield f"{PAGE}: the table of tricky points has rows 1 to {TRICKY_POINTS}"
    for number, what, tests in points:
        if not tests and not what.startswith("not yet:"):
            yield f"point {number}: name a test"
        for test in tests:
            yield from check_test(tree, f"point {number}", test)


def violations(root: pathlib.Path):
    tree, known = Tree(root), statements()
    found, points = rows(read(root / PAGE))
    seen = [row.statement for row in found]
    for statement, count in collections.Counter(known + seen).items():
        if statement not in known:
            yield f"{PAGE}: [MQTT-{statement}] is no statement of the standard"
        elif count != 2:
            yield f"{PAGE}: [MQTT-{statement}] has {count - 1} rows, not 1"
    if not set(known) ^ set(seen) and seen != known:
        yield f"{PAGE}: rows stand in the order of the standard"
    for path, marks in {**tree.code, **tree.test_marks}.items():
        for mark in sorted(marks - set(known)):
            yield f"{path}: [MQTT-{mark}] is no statement of the standard"
    for row in found:
        yield from check_row(tree, row)
    yield from check_points(tree, points)


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(violations(root))
    for line in found:
        print(line)
    table, _ = rows(read(root / PAGE))
    binding = [row for row in table if row.binds != "client"]
    missing = [row.statement for row in binding if row.what.startswith("not yet:")]
    print(f"{len(table)} statements, {len(binding)} bind servers, {len(missing)} not yet: {' '.join(missing)}")
    print(f"{len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
