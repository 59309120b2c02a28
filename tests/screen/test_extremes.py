#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Empty names and the largest amounts, under every key. What the sanitizers' build finds is its exit status, also at the end: leaks.

    test_extremes.py TCPTOP [TEST ...]
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import ScreenTest, main, recording  # noqa: E402
from tmux import Terminal  # noqa: E402

# Not: q and Q, which quit; w and W, which write files. Escape leaves what a key has opened.
KEYS = ["R", "T", "I", *"<<<<<<>>>>>>>>>>>>>>", "j", "k", "Enter", "Escape", "Right", "Left", "End", "Home", "y", "Y", "c", "c", "c", "m", "m",
        "m", "d", "Enter", "Escape", "l", "Enter", "Escape", "a", "s", "u", "Enter", "Escape", "/", "x", "Enter", "N", "\\", "n", "Enter",
        "Escape", "C", "Space", "Escape", "[", "{", "]", "}", "^", "$", "o", "F", "4", "4", "6", "6", "n", "n", "+", "-", "h", "Escape"]
GROUPINGS = 8


class ExtremesTest(ScreenTest):
    def open(self, name, width, height, environment=""):
        terminal = Terminal(width, height)
        self.addCleanup(terminal.close)
        terminal.run(self.tcptop, "--replay", recording(*name), redirect="; echo status=$?", environment=environment)
        terminal.wait_until(lambda cells: any("F1Help" in line or "status=" in line for line in cells), "a screen, or text", 30)
        return terminal

    @staticmethod
    def press(terminal, *keys):
        """What follows an Escape at once would be a key with Alt."""
        while keys:
            count = keys.index("Escape") + 1 if "Escape" in keys else len(keys)
            terminal.keys(*keys[:count])
            keys = keys[count:]
            time.sleep(0.2)

    def drive(self, interval_s, width, height):
        terminal = self.open(("extremes", interval_s), width, height)
        self.press(terminal, *KEYS)
        for _ in range(GROUPINGS):
            self.press(terminal, "g", "Enter", "Right", "j", "Left", "T", "R", "Escape")
        terminal.wait_for("F1Help", 30)
        terminal.keys("q")
        terminal.wait_for("status=0", 30)

    def test_short_intervals(self):
        self.drive("0.001", 80, 24)

    def test_seconds(self):
        self.drive("1", 200, 60)

    def test_small(self):
        self.drive("0.001", 40, 10)

    def test_outputs(self):
        for interval_s in ("0.000001", "0.001", "1", "86400"):
            for output in ("text", "json", "csv", "openmetrics"):
                run = subprocess.run([self.tcptop, "-o", output, "--replay", recording("extremes", interval_s)], capture_output=True,
                                     text=True, check=False)
                self.assertEqual(run.returncode, 0, run.stderr)

    def test_terminals_that_are_left_at_once(self):
        """Their descriptions are given back, too, also of those that can show no screen."""
        for name in ("xterm", "linux", "vt52", "dumb", "unknown-to-all", "''"):
            terminal = self.open(("extremes", "1"), 80, 24, "TERM=" + name)
            terminal.keys("q")
            terminal.wait_for("status=0", 30)
            terminal.close()


main()
