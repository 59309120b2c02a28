#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections that are closed, and those that are only idle, on recordings. Live: test_live_screen.py.

    test_closed.py TCPTOP [TEST ...]
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import ScreenTest, main  # noqa: E402

FIRST = "198.51.100.0:443"  # closed in the third interval
SECOND = "198.51.100.1:443"  # idle from the third interval on
AGAIN = "198.51.100.3:443"  # closed in the third interval; another one by its ports began in the fifth


class ClosedTest(ScreenTest):
    def play(self, width, height, *options):
        """To the end, with all connections listed."""
        terminal = self.start(*options, name=("ends", "0.25"), width=width, height=height)
        terminal.keys("$", "a")
        terminal.wait_for("end of recording")
        terminal.wait_for(FIRST)
        return terminal

    def row(self, terminal, remote):
        return next(line for line in terminal.cells() if remote in line)

    def rows(self, terminal, remote):
        """Of a connection's address: open, and closed."""
        return sorted((line for line in terminal.cells() if remote in line), key=lambda line: "closed" in line)

    def is_dim(self, styled, remote):
        """Whether this text is: a style stays until the next one, also over the lines' ends."""
        dim = grey = False
        for codes in re.findall("\x1b\\[([0-9;]*)m", styled[:styled.index(remote)]):
            for code in codes.split(";"):
                dim = (dim or code == "2") and code not in ("", "0", "22")
                grey = (grey or code == "90") and code not in ("", "0", "39")
        return dim or grey

    def test_the_list_tells_them_apart(self):
        for width, height, end in (80, 24, r" closed +0B x"), (120, 40, r" closed +0B .* x"), (200, 60, " closed "):
            with self.subTest(width):
                terminal = self.play(width, height)
                self.assertRegex(self.row(terminal, FIRST), end + "10:42:17$")
                self.assertRegex(self.row(terminal, SECOND), r" 0B .* 10:42:17$")
                now, before = self.rows(terminal, AGAIN)
                self.assertRegex(now, r" 0B .* 10:42:18$")
                self.assertRegex(before, end + "10:42:17$")
                self.assertIn("LOCAL", terminal.cells()[4 if height < 30 else 6 if height < 44 else 8])
                self.assertRegex("\n".join(terminal.cells()), r"1 connection  4 idle  2 closed")
                terminal.close()

    def test_the_smallest_tells_them_apart(self):
        """Where LAST has no room, by a word in the place of a rate, and a mark at a sum: without colours, too."""
        terminal = self.play(40, 10, "--color", "never")
        self.assertRegex(self.row(terminal, FIRST), r" closed +0B$")
        self.assertRegex(self.row(terminal, SECOND), r" 0B +0B$")
        terminal.keys("c", "c")
        terminal.wait_for("since the start")
        first, second = "198.5…100.0:443", "198.5…100.1:443"
        self.assertRegex(self.row(terminal, first), r" x9.77KB +600B$")
        self.assertRegex(self.row(terminal, second), r"  9.77KB +600B$")

    def test_little_room(self):
        terminal = self.play(80, 24, "--columns", "raddr,last")
        terminal.resize(40, 10)
        terminal.wait_until(lambda now: len(now) == 10 and any(FIRST in line for line in now), "the small screen")
        self.assertRegex(self.row(terminal, FIRST), r" closed 10:42:17$")
        terminal.resize(34, 10)
        terminal.wait_for("x10:42:17")
        self.assertNotIn("x", self.row(terminal, SECOND))

    def test_they_are_dimmed(self):
        terminal = self.play(80, 24)
        styled = terminal.styled()
        for remote in SECOND, AGAIN:
            self.assertTrue(self.is_dim(styled, remote), remote)
        self.assertFalse(self.is_dim(styled, "192.0.2.7:50000"))

    def test_details(self):
        for width, height in (80, 24), (200, 60):
            terminal = self.play(width, height)
            for remote, said in (FIRST, "State       closed at 10:42:17, "), (SECOND, "State       idle; last traffic at"):
                terminal.keys("/")
                terminal.type(remote)
                terminal.keys("Enter", "Enter")
                terminal.wait_for("Remote      " + remote)
                terminal.wait_for(said)
                terminal.keys("q")
                terminal.wait_for("F1Help")
            terminal.close()

    def test_a_group_says_how_many(self):
        terminal = self.play(80, 24)
        terminal.keys("Tab", "/")
        terminal.type("fetch-0")
        terminal.keys("Enter", "Enter")
        terminal.wait_for("Connections 3 that are kept, 1 closed")


main()
