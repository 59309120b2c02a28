#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does security find a list of system calls that is no longer the source's, and a test that is not there?"""

import os
import subprocess
import sys
import tempfile
import unittest

SECURITY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "security")
CODE = """static const struct rule {
} rules[] = {
#define EVERY(name) { .number = SYS_##name }
#define THREADS_ANY_BIT(name, n, v) \\
	{ .number = SYS_##name, .needs = A | B, .argument = (n) }
	/* a list(1) */
	EVERY(read), EVERY_EQUAL(connect, 2, sizeof(struct sockaddr_nl)), SHOWS_EQUAL(ioctl, 1, TCGETS), SHOWS_EQUAL(ioctl, 1, TCSETS),
	{ .number = SYS_clone3, .needs = A | B, .action = NOT_THERE },
	THREADS_ANY_BIT(clone, 0, CLONE_THREAD), NAMES(socket), EVERY_NO_BIT(openat, 2, READ_ONLY), SIDES(socket), KILLS(execve),
#undef RULE
};
"""
EMPTY = "# Security\n\n<!-- made by tests/lint/security --write -->\n<!-- end -->\n`tests/a.py`\n"


class SecurityTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tcptop_security_")
        self.addCleanup(self.folder.cleanup)
        self.write("src/base/confine.c", CODE)
        self.write("SECURITY.md", EMPTY)
        self.write("tests/a.py", "")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w", encoding="utf-8") as stream:
            stream.write(text)

    def run_security(self, *arguments):
        result = subprocess.run([sys.executable, "-B", SECURITY, *arguments, self.folder.name], capture_output=True, text=True, check=False)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout

    def test_table(self):
        self.assertEqual(self.run_security("--write"), (0, ""))
        self.assertEqual(self.run_security(), (0, ""))
        with open(self.path("SECURITY.md"), encoding="utf-8") as stream:
            text = stream.read()
        self.assertIn("| 3 | read, connect (a netlink address), openat (without O_WRONLY, O_RDWR, O_CREAT, O_TRUNC) |", text)
        for line in ("| 1 | ioctl (TCGETS, TCSETS) |", "In all: 4 in lines, 5 in the screen, 5 in what asks for names, 3 in what keeps a file", "| 1 | clone (CLONE_THREAD) |", "| 1 | socket |", "| 1 | execve |", "| 1 | clone3 |"):
            self.assertIn(line, text)
        self.assertTrue(text.endswith("<!-- end -->\n`tests/a.py`\n"))

    def test_change_of_the_source(self):
        self.run_security("--write")
        self.write("src/base/confine.c", CODE.replace("NAMES(socket)", "NAMES(socket), NAMES(bind)"))
        code, printed = self.run_security()
        self.assertEqual((code, printed.count("\n")), (1, 1))
        self.assertIn("are not those of", printed)

    def test_no_table(self):
        self.write("SECURITY.md", "# Security\n")
        self.assertEqual(self.run_security()[0], 1)

    def test_missing_test(self):
        self.run_security("--write")
        os.unlink(self.path("tests/a.py"))
        self.assertEqual(self.run_security(), (1, "SECURITY.md: there is no tests/a.py\n"))


if __name__ == "__main__":
    unittest.main()
