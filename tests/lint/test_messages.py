#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does messages find what is explained and not said, and what is refused and not explained?"""

import os
import subprocess
import sys
import tempfile
import unittest

MESSAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "messages")
TABLE = "| tcptop says | What to do |\n|---|---|\n"
CODE = """int f(void)
{
	return error_set(error, EXIT_CODE_PERMISSION, -EPERM, "not permitted: %s of %" PRIu64
	    " missing (%d%%)\\n"
	    "run it with sudo", f(")"), n, 1);
}
"""


class MessagesTest(unittest.TestCase):
    def run_messages(self, rows, code=CODE, readme="| `not permitted: … of … missing` | sudo |\n", path="src/a.c"):
        with tempfile.TemporaryDirectory(prefix="tcptop_messages_") as root:
            files = (("README.md", TABLE + readme), ("docs/troubleshooting.md", rows and TABLE + rows), (path, code))
            for name, text in files:
                os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
                with open(os.path.join(root, name), "w", encoding="utf-8") as stream:
                    stream.write(text)
            result = subprocess.run([sys.executable, "-B", MESSAGES, root], capture_output=True, text=True, check=False)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout

    def expect_right(self, rows, **files):
        self.assertEqual(self.run_messages(rows, **files), (0, ""))

    def expect_wrong(self, text, rows, **files):
        code, printed = self.run_messages(rows, **files)
        self.assertEqual((code, printed.count("\n")), (1, 1), printed)
        self.assertIn(text, printed)

    def test_whole_and_part(self):
        self.expect_right("| `not permitted: … of … missing (…%)` | |\n| `run it with sudo` | |\n")

    def test_changed(self):
        self.expect_wrong('docs/troubleshooting.md:3: nothing in src/ says "not allowed: ... missing"', "| `not allowed: … missing` | |\n")

    def test_part_of_a_word(self):
        self.expect_wrong('nothing in src/ says "un it with sudo"', "| `un it with sudo` | |\n")

    def test_two_messages_are_none(self):
        self.expect_wrong('nothing in src/ says "missing ... run it"', "| `missing … run it` | |\n")

    def test_comments_say_nothing(self):
        self.expect_wrong('nothing in src/ says "is gone"', "| `is gone` | |\n", code=CODE + '/* "is gone" */\n')

    def test_not_explained(self):
        new = CODE + 'int g(void)\n{\n\treturn error_set(e, EXIT_CODE_UNSUPPORTED, -1, "no such %s here", x);\n}\n'
        self.expect_wrong('src/a.c: "no such ... here" is not in a table', "| `run it with sudo` | |\n", code=new)
        self.expect_right("| `no such … here` | |\n", code=new)

    def test_other_exit_codes(self):
        self.expect_right("| `run it with sudo` | |\n", code=CODE + 'int e = error_set(e, EXIT_CODE_USAGE, -1, "no such option");\n')
        self.expect_wrong("is not in a table", "| `run it with sudo` | |\n", code=CODE + 'int e = error_set(e, EXIT_CODE_RUNTIME, -1, "out of memory");\n')

    def test_no_table(self):
        self.expect_wrong("docs/troubleshooting.md: no table of messages", "")

    def test_only_the_first_cell_and_such_tables(self):
        self.expect_right("| `run it with sudo` | `any thing` |\n\n| a | b |\n|---|---|\n| `other things` | |\n")


if __name__ == "__main__":
    unittest.main()
