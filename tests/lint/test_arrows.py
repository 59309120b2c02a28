#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does arrows find what it is for? On small trees that are made up."""

import os
import subprocess
import sys
import tempfile
import unittest

ARROWS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "arrows")

CMAKE = """
# A comment (with parentheses) names tcptop_floor(nothing SOURCES at all).
tcptop_floor(base SOURCES error format)
tcptop_floor(loader ON base SOURCES bcc loader)
tcptop_floor(screen ON base
  SOURCES curses ui)
target_link_libraries(screen PRIVATE PkgConfig::NcursesW m)
tcptop_floor(program FOLDER . ON screen loader SOURCES options options_help)
add_executable(tool main.c)
target_link_libraries(tool PRIVATE program)
"""
CLEAN = {
    "base/error.h": "",
    "base/error.c": '#include "base/error.h"\n#include <errno.h>\n',
    "base/format.h": "",
    "base/format.c": '#include "base/format.h"\n#include "base/error.h"\n',
    "loader/bcc.h": "",
    "loader/bcc.c": '#include "loader/bcc.h"\n#include <bcc/bcc_common.h>\n',
    "loader/loader.h": '#include "base/error.h"\n',
    "loader/loader.c": '#include "loader/loader.h"\n#include "loader/bcc.h"\n#include "program_texts.h"\n',
    "screen/curses.h": "",
    "screen/curses.c": '#include "screen/curses.h"\n#include <ncursesw/curses.h>\n#include <ncursesw/term.h>\n',
    "screen/ui.h": "",
    "screen/ui.c": '#include "screen/ui.h"\n# include "screen/curses.h"\n#include "base/format.h"\n',
    "options.h": "",
    "options_table.h": '#include "options.h"\n',
    "options.c": '#include "options.h"\n#include "options_table.h"\n',
    "options_help.c": '#include "options_table.h"\n',
    "main.c": '#include "options.h"\n#include "screen/ui.h"\n#include "loader/loader.h"\n',
}


class ArrowsTest(unittest.TestCase):
    def run_arrows(self, files, cmake, arguments=()):
        with tempfile.TemporaryDirectory(prefix="tcptop_arrows_") as root:
            for name, text in (CLEAN | files | {"CMakeLists.txt": cmake}).items():
                if text is not None:
                    path = os.path.join(root, "src", name)
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(text)
            result = subprocess.run([sys.executable, "-B", ARROWS, "--root", root, *arguments],
                                    capture_output=True, text=True, check=False)
        self.assertEqual(result.stderr, "")
        return result.returncode, result.stdout

    def expect_clean(self, files=None, cmake=CMAKE, arguments=()):
        code, text = self.run_arrows(files or {}, cmake, arguments)
        self.assertEqual((code, text.count("\n")), (0, 1), text)
        return text

    def expect_wrong(self, *lines, files=None, cmake=CMAKE, arguments=()):
        """Exactly these violations, and no others."""
        code, text = self.run_arrows(files or {}, cmake, arguments)
        self.assertEqual(text.splitlines(), list(lines))
        self.assertEqual(code, 1)

    def test_clean(self):
        self.assertEqual(self.expect_clean(), "4 modules deep: main -> screen/ui -> base/format -> base/error\n")

    def test_same_floor_and_floors_linked_through_others(self):
        self.expect_clean({"options.c": '#include "options.h"\n#include "base/error.h"\n'})

    def test_include_without_its_folder(self):
        self.expect_wrong('src/base/format.c:1: "format.h" has to name its folder: "base/format.h"',
                          files={"base/format.c": '#include "format.h"\n'})

    def test_include_of_no_file(self):
        self.expect_wrong('src/base/format.c:1: "base/gone.h" is no file of src/',
                          files={"base/format.c": '#include "base/gone.h"\n'})

    def test_include_by_dots(self):
        self.expect_wrong('src/base/format.c:1: "../base/error.h" has to name its folder: "base/error.h"',
                          files={"base/format.c": '#include "../base/error.h"\n'})

    def test_upward(self):
        self.expect_wrong('src/base/error.c:2: "screen/ui.h" points up, from base to screen',
                          files={"base/error.c": '\n#include "screen/ui.h"\n', "screen/ui.c": '#include "screen/ui.h"'})

    def test_upward_to_the_ground_floor(self):
        self.expect_wrong('src/screen/ui.h:1: "options.h" points up, from screen to program',
                          files={"screen/ui.h": '#include "options.h"\n'})

    def test_upward_to_an_executable(self):
        self.expect_wrong('src/options.c:1: "check/side.h" points up, from program to check',
                          files={"check/main.c": "", "check/side.h": "", "options.c": '#include "check/side.h"\n'},
                          cmake=CMAKE + "add_executable(check check/main.c)\n")

    def test_not_linked(self):
        self.expect_wrong('src/screen/ui.c:1: "loader/bcc.h": screen is not linked ON loader',
                          files={"screen/ui.c": '#include "loader/bcc.h"\n'})

    def test_executable_not_linked(self):
        self.expect_wrong('src/main.c:1: "options.h": tool is not linked ON program',
                          files={"main.c": '#include "options.h"\n'},
                          cmake=CMAKE.replace("PRIVATE program", "PRIVATE loader"))

    def test_linked_with_a_later_floor(self):
        self.expect_wrong("src/CMakeLists.txt:1: base is linked with screen, which is no earlier floor",
                          cmake=CMAKE + "target_link_libraries(base PUBLIC screen)\n")

    def test_on_names_nothing(self):
        self.expect_wrong("src/CMakeLists.txt:1: loader is linked with cellar, which is no earlier floor",
                          cmake=CMAKE.replace("loader ON base", "loader ON base cellar"))

    def test_circle_of_headers(self):
        self.expect_wrong("a circle of headers: base/error.h -> base/format.h -> base/error.h",
                          "a circle of modules: base/error -> base/format -> base/error",
                          files={"base/error.h": '#include "base/format.h"\n',
                                 "base/format.h": '#include "base/error.h"\n'})

    def test_circle_of_modules(self):
        self.expect_wrong("a circle of modules: base/error -> base/format -> base/error",
                          files={"base/error.c": '#include "base/error.h"\n#include "base/format.h"\n'})

    def test_circle_of_three_is_one(self):
        self.expect_wrong("a circle of modules: base/a -> base/b -> base/c -> base/a",
                          files={"base/a.h": "", "base/b.h": "", "base/c.h": "", "base/a.c": '#include "base/b.h"\n',
                                 "base/b.c": '#include "base/c.h"\n', "base/c.c": '#include "base/a.h"\n'},
                          cmake=CMAKE.replace("error format", "error format a b c"))

    def test_private_header_is_no_module(self):
        self.expect_wrong("a circle of modules: options -> options_help -> options",
                          files={"options_help.h": "", "options.c": '#include "options_help.h"\n'})

    def test_depth(self):
        self.expect_clean(arguments=("--max-depth", "4"))
        self.expect_wrong("more than 3: 4 modules deep: main -> screen/ui -> base/format -> base/error",
                          arguments=("--max-depth", "3"))

    def test_depth_by_default(self):
        names = [f"m{number}" for number in range(9)]
        files = {f"base/{name}.h": "" for name in names}
        files |= {f"base/{name}.c": f'#include "base/{later}.h"\n' for name, later in zip(names, names[1:])}
        files |= {"base/m8.c": "", "main.c": '#include "base/m1.h"\n'}
        cmake = CMAKE.replace("error format", "error format " + " ".join(names))
        self.assertTrue(self.expect_clean(files, cmake).startswith("9 modules deep: main -> base/m1 -> "))
        code, text = self.run_arrows(files | {"main.c": '#include "base/m0.h"\n'}, cmake)
        self.assertEqual((code, text.startswith("more than 9: 10 modules deep: main -> base/m0 -> ")), (1, True))

    def test_bcc(self):
        for name in ("<bcc/bcc_common.h>", '"bcc/libbpf.h"', "<bcc_version.h>"):
            with self.subTest(name):
                code, text = self.run_arrows({"loader/loader.c": f"#include {name}\n"}, CMAKE)
                self.assertEqual((code, "src/loader/loader.c:1: only loader/bcc.c may include bcc" in text), (1, True))

    def test_curses(self):
        for name in ("curses.h", "ncurses.h", "ncursesw/curses.h", "ncursesw/term.h", "panel.h"):
            with self.subTest(name):
                self.expect_wrong(f"src/screen/ui.c:1: only screen/curses.c may include curses: {name}",
                                  files={"screen/ui.c": f"#include <{name}>\n"})

    def test_folder_not_in_cmake(self):
        self.expect_wrong("src/attic/box.h:1: its folder is no floor in src/CMakeLists.txt",
                          files={"attic/box.h": ""})

    def test_source_not_in_cmake(self):
        self.expect_wrong("src/base/spare.c:1: no floor and no executable is built of it", files={"base/spare.c": ""})

    def test_source_that_is_not_there(self):
        self.expect_wrong("src/CMakeLists.txt:1: base is built of base/spare.c, which is not there",
                          cmake=CMAKE.replace("error format", "error format spare"))

    def test_figures(self):
        code, text = self.run_arrows({}, CMAKE, ("--figures",))
        figures = {words[0]: words[1:] for words in map(str.split, text.splitlines())}
        self.assertEqual((code, figures["base"], figures["program"], figures["tool"]),
                         (0, ["4", "4"], ["4", "4"], ["1", "3"]))
        self.assertIn("4 modules deep: main -> ", text)


if __name__ == "__main__":
    unittest.main()
