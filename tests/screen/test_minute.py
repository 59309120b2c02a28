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
        self.assertRegex(text, r"CAME first bytes .*\n nginx \(812\) +780 ")
        self.assertRegex(text, r"\n curl \(39 PIDs\) +39 ")
        self.assertRegex(text, r"WENT closed/idle 20s (.*\n)+ sshd \(5120\) +1 ")
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

    def test_escape_returns_to_the_list_as_it_was(self):
        """What Enter went to was another grouping, and no group was open in it."""
        terminal = self.start(name=("minute", "40"), ready="recording")
        terminal.keys("$")
        terminal.wait_for("end of recording")
        terminal.keys("Tab", "Tab")
        before = terminal.wait_for("remote hosts")[0:5]
        terminal.keys("Right")
        opened = terminal.wait_until(lambda cells: cells[0:5] != before, "the group's connections")
        terminal.keys("d", "Enter")
        terminal.wait_for("First seen")
        terminal.keys("Escape")
        terminal.wait_for("The last ")
        terminal.keys("Escape")
        terminal.wait_until(lambda cells: cells == opened, "the group's connections again")
        terminal.keys("Escape")
        terminal.wait_until(lambda cells: cells[0:5] == before, "the groups again")

    def test_a_click_selects(self):
        terminal = self.open()
        terminal.keys("M")
        terminal.wait_for("mouse on")
        cells = terminal.cells()
        line = next(y for y, text in enumerate(cells) if text.startswith(" sshd (5120)"))
        terminal.raw(b"\x1b[<0;9;%dM\x1b[<0;9;%dm" % (line + 1, line + 1))
        terminal.keys("Enter")
        terminal.wait_for("sshd, PID 5120")

    def test_the_minute_before_another_moment(self):
        terminal = self.open()
        terminal.keys("{")
        terminal.wait_for("The last 29 s before")
        cells = terminal.wait_until(lambda cells: any("nginx (812)" in line for line in cells), "nginx")
        self.assertRegex("\n".join(cells), r" nginx \(812\) +580 ")


if __name__ == "__main__":
    main()
