#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of the last minute, on a recording.

    test_minute.py TCPTOP [TEST ...]
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import ScreenTest, main  # noqa: E402


class MinuteTest(ScreenTest):
    def open(self, width=80, height=24):
        terminal = self.start(width=width, height=height, name=("minute", "40"), ready="")
        terminal.wait_until(lambda cells: "recording" in cells[0], "the recording")
        terminal.keys("$")
        terminal.wait_for("end of recording")
        terminal.keys("d")
        terminal.wait_for("The last 39 s before")
        return terminal

    def test_what_came_went_and_grew(self):
        terminal = self.open()
        text = "\n".join(terminal.cells())
        self.assertRegex(text, r"CAME .*\n nginx \(812\) +780 ")
        self.assertRegex(text, r"\n curl \(39 PIDs\) +39 ")
        self.assertRegex(text, r"WENT (.*\n)+ sshd \(5120\) +1 ")
        self.assertRegex(text, r"GREW 10 s vs 22 s .*\n postgres \(3311\) +1 +1.95KB/s 19.5KB/s +10x")

    def test_enter_goes_there(self):
        for width, height in (40, 10), (80, 24), (200, 60):
            terminal = self.open(width, height)
            terminal.keys("End", "Enter")
            terminal.wait_for("postgres, PID 3311")
            terminal.keys("Escape")
            terminal.wait_for("postgr")
            terminal.keys("Escape")
            terminal.wait_until(lambda cells: "NAME" in "".join(cells), "the table")

    def test_the_minute_before_another_moment(self):
        terminal = self.open()
        terminal.keys("{")
        terminal.wait_for("The last 29 s before")
        cells = terminal.wait_until(lambda cells: any("nginx (812)" in line for line in cells), "nginx")
        self.assertRegex("\n".join(cells), r" nginx \(812\) +580 ")


if __name__ == "__main__":
    main()
