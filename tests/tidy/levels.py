#!/usr/bin/env python3
"""Checks the source tree: arrows between folders, file names, leftovers. Prints each violation, exits 1 if there is one."""
import pathlib
import re
import sys

# An #include goes down, any number of levels; never up, never sideways (docs/ARCHITECTURE.md).
LEVELS = {
    "base": 1,
    "broker/mqtt": 2, "acl": 2, "certs": 2,
    "broker": 3, "provisioning": 3, "services": 3,
    "broker/net": 4, "api": 4, "storage": 4, "web": 4,
    "apps": 5,
}
# tests/ and bench/ may see all; nothing sees them.
OUTSIDE = ("tests/", "bench/")
HEAVY = ("boost/asio", "boost/beast", "spdlog/", "sqlite3.h")  # cost seconds in each file that sees them
INCLUDE = re.compile(r'^\s*#include\s+"([^"]+)"', re.M)
SYSTEM_INCLUDE = re.compile(r"^\s*#include\s+<([^>]+)>", re.M)
LEFTOVER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
NAME = re.compile(r"^[a-z0-9_]+\.(cpp|hpp)$")


def module_of(path: str):
    best = ""
    for module in LEVELS:
        if path.startswith(module + "/") and len(module) > len(best):
            best = module
    return best


def check_includes(path: str, text: str):
    here = module_of(path)
    for target in INCLUDE.findall(text):
        if target.startswith(OUTSIDE):
            if here:
                yield f"{path}: includes {target}: nothing may see tests or bench"
            continue
        there = module_of(target)
        if not there:
            if here:
                yield f'{path}: includes "{target}": write it from the repository root'
            continue
        if here and there != here and LEVELS[there] >= LEVELS[here]:
            yield f"{path} (level {LEVELS[here]}) includes {target} (level {LEVELS[there]}): only downwards"


def check_file(path: str, text: str):
    yield from check_includes(path, text)
    if not NAME.match(pathlib.PurePath(path).name):
        yield f"{path}: file names are snake_case .cpp or .hpp"
    if path.endswith(".hpp") and not text.lstrip().startswith("#pragma once"):
        yield f"{path}: a header begins with #pragma once"
    for number, line in enumerate(text.splitlines(), 1):
        if LEFTOVER.search(line):
            yield f"{path}:{number}: left over: {line.strip()}"
    if path.endswith(".hpp") and module_of(path) and LEVELS[module_of(path)] <= 3:
        for header in SYSTEM_INCLUDE.findall(text):
            if header.startswith(HEAVY):
                yield f"{path}: includes <{header}>: heavy headers stay in adapters' .cpp files"


def violations(root: pathlib.Path):
    folders = {module.split("/")[0] for module in LEVELS} | {"tests", "bench"}
    for folder in sorted(folders):
        for file in sorted((root / folder).rglob("*.?pp")):
            path = file.relative_to(root).as_posix()
            yield from check_file(path, file.read_text(encoding="utf-8"))


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(violations(root))
    for line in found:
        print(line)
    files = sum(1 for folder in ("base", "broker", "acl", "certs", "provisioning", "storage", "api", "apps")
                for _ in (root / folder).rglob("*.?pp"))
    print(f"{files} source files, {len(found)} violations")
    return 1 if found or files < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
