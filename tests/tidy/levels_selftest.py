#!/usr/bin/env python3
"""The check of the levels finds what it is there to find: each planted violation, and none in a clean tree."""
import pathlib
import tempfile
import unittest

import levels


def tree(files):
    folder = tempfile.TemporaryDirectory()
    for path, text in files.items():
        file = pathlib.Path(folder.name, path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


class Levels(unittest.TestCase):
    def found(self, path, text):
        with tree({path: text}) as folder:
            return list(levels.violations(pathlib.Path(folder)))

    def test_clean(self):
        self.assertEqual(self.found("broker/shard.cpp", '#include "broker/mqtt/decode.hpp"\n#include "acl/policy.hpp"\n'), [])

    def test_upward(self):
        self.assertIn("only downwards", self.found("acl/policy.cpp", '#include "broker/shard.hpp"\n')[0])

    def test_sideways(self):
        self.assertIn("only downwards", self.found("storage/db.cpp", '#include "api/server.hpp"\n')[0])
        self.assertIn("only downwards", self.found("certs/csr.cpp", '#include "acl/policy.hpp"\n')[0])

    def test_tests_are_invisible(self):
        self.assertIn("nothing may see", self.found("base/id.cpp", '#include "tests/support/x.hpp"\n')[0])

    def test_relative(self):
        self.assertIn("repository root", self.found("base/id.cpp", '#include "id.hpp"\n')[0])

    def test_header_guard_and_name(self):
        self.assertIn("pragma once", self.found("base/id.hpp", "int x;\n")[0])
        self.assertIn("snake_case", self.found("base/BadName.cpp", "int x;\n")[0])

    def test_leftover(self):
        self.assertIn("left over", self.found("base/id.cpp", "// TO" + "DO: later\n")[0])

    def test_heavy_header(self):
        self.assertIn("heavy", self.found("broker/x.hpp", "#pragma once\n#include <boost/asio.hpp>\n")[0])


if __name__ == "__main__":
    unittest.main()
