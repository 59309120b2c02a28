#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The page of connections that ended, on a recording.

    test_lives.py TCPTOP [TEST ...]
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import ScreenTest, main  # noqa: E402


class LivesTest(ScreenTest):
    def open(self, *options, width=80, height=24):
        terminal = self.start(*options, width=width, height=height, name=("lives", "5"), ready="")
        terminal.wait_until(lambda cells: "recording" in cells[0], "the recording")
        terminal.keys("$")
        terminal.wait_for("end of recording")
        terminal.keys("e")
        terminal.wait_for("15 ended")
        return terminal

    def test_the_latest_first(self):
        cells = self.open().cells()
        self.assertRegex(cells[1], r"^ 15 ended: 5 reset by us, 5 timed out$")
        self.assertRegex(cells[2], r"^ +ENDED PROCESS +REMOTE +WAITED +LIVED HOW IT ENDED$")
        self.assertRegex(cells[3], r"^ 10:42:21 curl \(1900\) +> 192.0.2.9:5432 +12.3ms +999us reset by us$")
        self.assertRegex(cells[4], r"^ 10:42:21 psql \(904\) +> 192.0.2.9:5432 +- +2m07s timed out$")
        self.assertRegex(cells[5], r"^ 10:42:21 nginx \(812\) +:443 < 192.0.2.7 +45.6ms +2.50s closed by us$")
        self.assertRegex(cells[8], r"^ 10:42:20 nginx")

    def test_more_where_there_is_room(self):
        cells = self.open(width=160).cells()
        self.assertRegex(cells[2], r"LOCAL +REMOTE +WAITED SYN\+ +LIVED +RX +TX HOW IT ENDED$")
        self.assertRegex(cells[3], r"10.0.0.5:50004 +> 192.0.2.9:5432 .* 2.00KB +512B reset by us tcp_abort_on_close$")
        self.assertRegex(cells[4], r" 6 +2m07s ")
        cells = self.open(width=40, height=10).cells()
        self.assertRegex(cells[5], r"^ nginx \(812\) +:443 < 19.* closed by us$")

    def test_what_passes_the_filter(self):
        terminal = self.open("--filter", "psql")
        cells = terminal.cells()
        self.assertEqual(sum("psql" in line for line in cells[3:]), 5)
        self.assertFalse(any("curl" in line for line in cells))

    def test_services(self):
        terminal = self.open()
        terminal.keys("e", "v")
        terminal.wait_for("listening ports")
        cells = terminal.cells()
        self.assertRegex(cells[1], r"^ 2 listening ports")
        self.assertRegex(cells[2], r"^ +PORT PROCESS +NEW/s +OPEN +BACKLOG +DROPPED +ENDED +RESET$")
        self.assertRegex(cells[3], r"^ +443 nginx \(812\) +133 +12 +129/128 +7 +4 +0$")
        self.assertRegex(cells[4], r"^ +22 sshd \(800\) +0 +0 +0/128 +0 +0 +0$")
        terminal.keys("Escape")
        terminal.wait_for("steady")
        cells = self.narrow_services()
        self.assertRegex(cells[2], r"^ +PORT PROCESS +NEW/s +BACKLOG$")
        self.assertRegex(cells[3], r"^ +443 nginx \(812\) +133 +129/128$")

    def narrow_services(self):
        terminal = self.open(width=40, height=10)
        terminal.keys("e", "v")
        terminal.wait_for("listening ports")
        return terminal.cells()

    def test_of_an_earlier_moment(self):
        """What ended later is not there yet; played again, nothing is there twice."""
        terminal = self.open()
        terminal.keys("[")
        terminal.wait_until(lambda cells: "10:42:20 curl" in cells[3], "the moment before")
        terminal.keys("^")
        terminal.wait_until(lambda cells: "10:42:17 curl" in cells[3], "the first one")
        terminal.keys("$")
        terminal.wait_until(lambda cells: "10:42:21 curl" in cells[3], "the last one")
        self.assertIn("15 ended", terminal.cells()[1])
        terminal.keys("Escape")
        terminal.wait_for("steady")

    def test_services_of_an_earlier_moment(self):
        """They say that they are of another one; played again, nothing is counted twice."""
        terminal = self.open()
        terminal.keys("v")  # from the other page
        terminal.wait_for("listening ports")
        terminal.keys("[", "[")
        terminal.wait_for(" Not of then, but of later: 2 listening ports")
        terminal.keys("^", "$")
        terminal.wait_for("end of recording")
        cells = terminal.wait_gone("Not of then")
        # The first interval was kept, so it is not told again.
        self.assertRegex(cells[3], r"^ +443 nginx \(812\) +133 +12 +129/128 +7 +3 +0$")


if __name__ == "__main__":
    main()
