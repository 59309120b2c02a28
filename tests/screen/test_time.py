#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Moving in time: recordings are paused, sought and played faster; what goes on to come is looked back at.

    test_time.py TCPTOP [TEST ...]
"""

import json
import os
import re
import shlex
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import ScreenTest, main, recording  # noqa: E402

INTERVALS = 170  # more than are kept


class TimeTest(ScreenTest):
    def open(self, width=80, height=24):
        terminal = self.start(width=width, height=height, name=("demo", str(INTERVALS)), ready="")
        terminal.wait_until(lambda cells: "recording" in cells[0], "the recording")
        terminal.keys("Space")
        terminal.wait_for("PAUSED")
        return terminal

    def sums(self, upto):
        """RX and TX of the first so many intervals, in bytes."""
        with open(recording("demo", str(INTERVALS)), encoding="utf-8") as stream:
            totals = [line for line in map(json.loads, stream) if line["type"] == "interval"][:upto]
        return sum(line["rx_bytes"] for line in totals), sum(line["tx_bytes"] for line in totals)

    def expect(self, terminal, position):
        """It is there, and every total is what the intervals up to there add up to."""
        # Before it was read to the end it is told how far that has got.
        where = re.compile(r" recording %s(/%d|, \d+%%) " % (position, INTERVALS))
        terminal.wait_until(lambda cells: where.search(cells[0]), "interval %s" % position)
        cells = terminal.wait_until(lambda cells: "sum" in cells[1], "sums")
        for line, true in zip(cells[1:3], self.sums(position)):
            self.assertRegex(line, r"sum +%d(?!\d)" % true, cells[0])

    def test_every_way_to_a_moment_has_its_sums(self):
        terminal = self.open(width=120)
        terminal.keys("m", "m")
        terminal.keys("^")
        self.expect(terminal, 1)
        terminal.keys("]")
        self.expect(terminal, 2)
        terminal.keys("}")
        self.expect(terminal, 12)
        terminal.keys("[")
        self.expect(terminal, 11)
        terminal.keys("{")
        self.expect(terminal, 1)
        terminal.keys("{")
        self.expect(terminal, 1)
        # Read at once: each of them counts.
        terminal.type("}}^]")
        self.expect(terminal, 2)
        terminal.type("^$")
        terminal.wait_for("end of recording")
        terminal.keys("[")
        self.expect(terminal, INTERVALS - 1)
        terminal.keys("^")
        self.expect(terminal, 1)
        # One that is kept, one that was not read yet since, and one before all that is kept. It began at 10:42:17.
        for clock, position in ("10:42:21", 5), ("10:44:57", 161), ("10:42:27", 11):
            terminal.keys("t")
            terminal.wait_for("Go to time:")
            terminal.type(clock)
            terminal.keys("Enter")
            self.expect(terminal, position)

    def test_faster(self):
        terminal = self.open()
        terminal.keys("+", "+", "+", "+", "+", "+")
        terminal.wait_for("speed: 64 times")
        terminal.keys("Space")
        terminal.wait_until(lambda cells: "end of recording" in cells[0], "the end", 15)  # it took 170 s

    def test_small_screens_tell_where_it_is(self):
        for width, height in (40, 10), (80, 24), (200, 60):
            terminal = self.open(width, height)
            terminal.keys("[")
            cells = terminal.wait_for("PAUSED")
            self.assertRegex(cells[0], r"10:4\d:\d\d  PAUSED  (at|recording) \d+, \d+%")

    def test_the_title_is_in_another_colour_while_nothing_moves(self):
        terminal = self.open()
        held = terminal.styled().split("\n")[0]
        terminal.keys("Space")
        terminal.wait_gone("PAUSED")
        self.assertIn("43m", held)
        self.assertNotIn("43m", terminal.styled().split("\n")[0])

    def test_a_pipe_goes_on_while_one_looks_back(self):
        terminal = self.start(name=("demo", "1"))
        terminal.keys("q")
        terminal.wait_for("READY$")
        terminal.type("clear; (head -n 400 %s; sleep 1; tail -n +401 %s; sleep 60) | %s --replay -" % (
            (shlex.quote(recording("demo", str(INTERVALS))),) * 2 + (shlex.quote(self.tcptop),)))
        terminal.keys("Enter")
        terminal.wait_until(lambda cells: "recording" in cells[0] and "idle" in cells[3], "some intervals", 20)
        terminal.keys("[", "[")
        terminal.wait_until(lambda cells: "FROZEN" in cells[0] and "ago" in cells[0], "the past")
        before = terminal.cells()[5:-1]
        terminal.wait_until(lambda cells: "FROZEN 5 s ago" in cells[0], "what goes on")
        self.assertEqual(terminal.cells()[5:-1], before)
        terminal.keys("q")
        terminal.wait_gone("FROZEN")


if __name__ == "__main__":
    main()
