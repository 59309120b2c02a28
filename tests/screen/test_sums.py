#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sums on the screen forget nothing: recordings in which connections pause, end and are many.

    test_sums.py TCPTOP [TEST ...]
"""

import json
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import ScreenTest, main, recording  # noqa: E402


class SumsTest(ScreenTest):
    def play(self, *name, width=120, height=24):
        """A recording, seen to its end."""
        terminal = self.begin(*name, width=width, height=height)
        terminal.wait_for("end of recording", 60)
        return terminal

    def begin(self, *name, width=120, height=24):
        """A recording that has begun: its screen changes too often to be waited for."""
        terminal = self.start(width=width, height=height, name=name, ready="")
        end = time.monotonic() + 20
        while not any("F1Help" in line for line in terminal.cells()):
            self.assertLess(time.monotonic(), end, terminal.cells())
            time.sleep(0.02)
        return terminal

    def sums(self, terminal):
        """Shows the sums in bytes."""
        terminal.keys("c", "c", "m", "m")
        terminal.wait_for("units: bytes")
        return terminal.wait_for("RX sum")

    def shown(self, terminal):
        """What all rows of the table add up to, RX in bytes."""
        cells = terminal.cells()
        titles = next(y for y, line in enumerate(cells) if "RX sum" in line)
        at = cells[titles].index("RX sum") + len("RX sum")
        return sum(int(line[:at].split()[-1].removesuffix("B")) for line in cells[titles + 1:-1] if line.strip())

    def true_bytes(self, *name):
        with open(recording(*name), encoding="utf-8") as stream:
            lines = [json.loads(line) for line in stream]
        return sum(line["rx_bytes"] for line in lines if line["type"] == "interval")

    def test_a_connection_that_pauses(self):
        """It is idle for longer than its row is listed, six times."""
        for width, height in (80, 24), (40, 10), (200, 60):
            terminal = self.play("pauses", width=width, height=height)
            terminal.wait_for("No TCP traffic")
            terminal.keys("a")
            terminal.wait_for("backup")
            terminal.keys("x", "Enter")
            cells = terminal.wait_for("Process     backup, PID 321")
            if height < 24:
                terminal.keys("NPage")
            cells = terminal.wait_for("Total       RX 6000000 B")
            if height >= 24:
                text = "\n".join(cells)
                self.assertRegex(text, r"State       idle; last traffic at 10:42:2\d, 1.2 s ago")
                self.assertIn("First seen  10:42:17, 7.2 s ago", text)
                self.assertIn("            since 10:42:17", text)
            terminal.keys("q")  # as Esc, which with a key that follows at once would be Alt
            terminal.keys("Tab")
            terminal.wait_for("1 process")
            if width >= 80:
                self.sums(terminal)
                self.assertEqual(self.shown(terminal), 6_000_000)

    def test_short_connections_of_one_process(self):
        terminal = self.begin("short")
        terminal.keys("Tab")
        terminal.wait_for("end of recording", 60)
        cells = terminal.wait_for("1 process")
        self.assertRegex(cells[5], r"4711 poller.* 1.53MB ")  # 1,600,000 in all: TOTAL
        self.sums(terminal)
        self.assertRegex(terminal.cells()[5], r" 800000B +800000B ")
        # The same, of the host and of the user.
        terminal.keys("Tab")
        terminal.wait_for("1 remote host")
        self.assertRegex(terminal.cells()[5], r" 800000B +800000B ")
        terminal.keys("Tab", "Tab")
        terminal.wait_for("1 user")
        self.assertRegex(terminal.cells()[5], r" 800000B +800000B ")
        # Its connections are there, the latest first, with the time of their end.
        terminal.keys("BTab", "BTab", "BTab", "Right", "a")
        terminal.wait_for("800 of 800 connections")

    def test_connections_that_take_turns(self):
        terminal = self.play("turns", "600", "0.01")
        terminal.keys("Tab")
        self.sums(terminal)
        self.assertRegex(terminal.cells()[5], r"99 worker.* 10000600B ")

    def test_many_processes_hosts_containers_and_users(self):
        """More connections than are kept: the groups have them all, also after a grouping was opened and closed."""
        true = self.true_bytes("churn")
        self.assertEqual(true, 20_000_001)
        terminal = self.play("churn", width=160, height=320)
        self.sums(terminal)
        for groups in "301 processes", "301 remote hosts", "301 containers", "300 users", "2 programs", "0 services", "301 pairs":
            terminal.keys("Tab")
            terminal.wait_for(groups)
            self.assertEqual(self.shown(terminal), true)
            # Its page has the sum of its row, those of its parts, and what was dropped.
            terminal.keys("Enter")
            page = "\n".join(terminal.wait_for("Total   "))
            total = int(re.search(r"Total +RX (\d+) B", page)[1])
            self.assertIn(total, (66000, 67000, 67001, 20_000_000, 20_000_001))
            self.assertLess(int(re.search(r"Dropped +RX (\d+) B", page)[1]), total)
            terminal.keys("Enter")
            terminal.wait_for("connections  ")
            terminal.keys("Escape")
            terminal.wait_for(groups)
            self.assertEqual(self.shown(terminal), true)
        terminal.keys("Tab", "a")
        cells = terminal.wait_for("dropped")
        self.assertRegex("\n".join(cells), r"oldest \d+ dropped")
        # A frozen screen has the same sums; one that was reset starts from zero, once that is meant.
        terminal.keys("a", "Tab", "Z")
        terminal.wait_for("FROZEN")
        self.assertEqual(self.shown(terminal), true)
        terminal.keys("r", "n")
        terminal.wait_for("F1Help")
        self.assertEqual(self.shown(terminal), true)
        terminal.keys("r")
        terminal.wait_for("Reset all totals?")
        terminal.keys("y")
        terminal.wait_for("totals start from zero")
        self.assertEqual(self.shown(terminal), 0)

    def test_programs(self):
        """All workers of nginx are one row; what it has several of is counted, in groups of all kinds."""
        terminal = self.play("demo", "1", width=200, height=60)
        terminal.keys("BTab")
        terminal.wait_for("pairs")
        terminal.keys("BTab")
        terminal.wait_for("services")
        terminal.keys("BTab")
        cells = terminal.wait_for("11 programs")
        self.assertRegex("\n".join(cells), r"\nnginx +4\.41MB .* 33 .* 2 +4\n")
        self.assertEqual(sum(line.startswith(("nginx", "node", "sshd")) for line in cells), 3)
        terminal.keys("BTab")
        cells = terminal.wait_for("users")
        self.assertRegex("\n".join(cells), r"\n0 +4 processes")

    def test_services(self):
        """What each listening port has accepted; what was connected from here is one row."""
        for width, height in ((80, 24), (40, 10)):
            terminal = self.begin("demo", "1", width=width, height=height)
            terminal.wait_for("nginx")
            terminal.keys("BTab", "BTab")
            terminal.wait_for("5 services")
            rows = [line.split()[0] for line in terminal.cells() if line.startswith((":", "outgoing"))]
            self.assertEqual(rows[:5], ["outgoing", ":443", ":8080", ":6379", ":5432"])
            terminal.keys("Down", "Right")
            terminal.wait_for("accepted on :443" if width >= 80 else "nginx")
            terminal.keys("Left", "Enter")
            terminal.wait_for("Service     :443")
            terminal.keys("q", "Tab", "Tab", "\\")
            terminal.type("listen:5432")
            terminal.keys("Enter")
            cells = terminal.wait_for("1 of ")
            self.assertRegex("\n".join(cells), r"\n *(3311 )?postgres ")

    def test_a_filter_has_a_sum(self):
        """Of connections and of groups of all kinds, with what closed ones moved: 20,000,001 but one byte of init."""
        terminal = self.play("churn", width=160, height=320)
        self.sums(terminal)
        terminal.keys("a", "\\")
        terminal.type("client")
        terminal.keys("Enter")
        for groups in "301 processes", "301 remote hosts", "301 containers", "300 users", "2 programs", "0 services", "301 pairs":
            terminal.keys("Tab")
            terminal.wait_for(groups.replace("301", "300").replace("2 programs", "1 program"))
            lines = [line for line in terminal.cells()[-3:-1] if line.strip()]
            self.assertRegex(lines[-1], r" 20000000B +0B ")
            self.assertEqual(self.shown(terminal), 2 * 20_000_000)  # with the sum's line

    def test_reset_in_between(self):
        terminal = self.begin("turns", "600", "0.01")
        terminal.keys("Tab", "c", "c", "m", "m", "r", "y")
        terminal.wait_for("end of recording", 60)
        shown = self.shown(terminal)
        self.assertLess(shown, 10_000_600)
        text = "\n".join(terminal.cells())
        terminal.keys("Tab")
        terminal.wait_for("1 remote host")
        self.assertEqual(self.shown(terminal), shown, text)


main()
