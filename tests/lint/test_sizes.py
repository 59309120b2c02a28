#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does sizes find what is too long, in each language?"""

import os
import subprocess
import sys
import tempfile
import unittest

SIZES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sizes")


class SizesTest(unittest.TestCase):
    def run_sizes(self, name, text):
        with tempfile.TemporaryDirectory(prefix="tcptop_sizes_") as root:
            path = os.path.join(root, name)
            os.makedirs(os.path.dirname(path))
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            result = subprocess.run([sys.executable, "-B", SIZES, "--root", root], capture_output=True, text=True,
                                    check=False)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout

    def expect(self, name, head, body, foot, first):
        """60 lines from head to foot are right, 61 are not; first is the line of the head's beginning."""
        inner = 60 - head[head.index("HEAD"):].count("\n") - foot.count("\n")
        head = head.replace("HEAD", "")
        code, text = self.run_sizes(name, head + body * inner + foot)
        self.assertEqual((code, text), (0, "1 functions\n"))
        code, text = self.run_sizes(name, head + body * (inner + 1) + foot)
        self.assertEqual((code, text.count("\n")), (1, 1))
        self.assertRegex(text, rf"^{name}:{first}: .*: 61 lines, more than 60\n$")

    def test_c(self):
        self.expect("src/a.c", "/* Why. */\nHEADint f(int a,\n    int b)\n{\n", "\ta++;\n", "}\n", 2)

    def test_c_after_a_table(self):
        self.expect("tests/unit/a.h", "int t[] = {\n\t1,\n};\n\n#define X\nHEADvoid f(void)\n{\n", "\tg();\n", "}\n", 6)

    def test_c_with_its_brace_beside(self):
        self.expect("bpf_text/a.c", "HEADint f(void) {\n", "\tg();\n", "}\n", 1)

    def test_python(self):
        self.expect("tests/a.py", "class A:\n    HEADdef f(self):\n", "        g()\n", "        h()\n", 2)

    def test_python_by_its_first_line(self):
        self.expect("tests/a", "#!/usr/bin/env python3\n\n\nHEADdef f():\n", "    g()\n", "    h()\n", 4)

    def test_shell(self):
        self.expect("tests/a.sh", "#!/bin/bash\nx() { y; }\nHEADf() { # what it takes\n", "\tg\n", "}\n", 3)

    def test_files(self):
        function = "int f(void)\n{\n}\n"
        self.assertEqual(self.run_sizes("src/a.c", function + "\n" * 497), (0, "1 functions\n"))
        self.assertEqual(self.run_sizes("src/a.c", function + "\n" * 498),
                         (1, "src/a.c: 501 lines, more than 500\n"))

    def test_golden_files_are_left_out(self):
        self.assertEqual(self.run_sizes("tests/unit/golden/a.c", "\n" * 501), (1, "0 functions\n"))


if __name__ == "__main__":
    unittest.main()
