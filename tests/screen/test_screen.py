#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real binary in a real terminal: keys go in, cells are compared.

    test_screen.py TCPTOP [TEST ...]
"""

import fcntl
import json
import os
import pty
import re
import resource
import select
import signal
import struct
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import FOOTER, RECORDINGS, ScreenTest, main, recording  # noqa: E402


class CellsTest(ScreenTest):
    # ---- exact cells ----

    def test_80x24(self):
        cells = self.start().cells()
        self.assertEqual(cells, [
            " tcptop  10:42:17  end of recording  every 1 s  sums since 10:42:16",
            " RX      13.9MB/s                                   ▇ peak 13.9MB/s  sum 13.9MB",
            " TX      30.0MB/s                                   ▇ peak 30.0MB/s  sum 30.0MB",
            " 17 connections  by RX+TX/s over 10s ▼",
            "    PID NAME          LOCAL                REMOTE                  ▼RX/s   ▼TX/s",
            "   4711 rsync         10.0.0.5:51820       192.0.2.77:873         57.6KB  10.9MB",
            "   1874 nginx         10.0.0.5:443         203.0.113.84:51312     20.0KB  10.2MB",
            "   7100 curl          10.0.0.5:39990       151.101.2.132:443      7.14MB  19.3KB",
            "   1875 nginx         127.0.0.1:37912      127.0.0.1:8080         4.36MB   124KB",
            "   2210 node          127.0.0.1:8080       127.0.0.1:37912         107KB  3.76MB",
            "   1874 nginx         10.0.0.5:443         198.51.100.23:40218    33.6KB  3.14MB",
            "   2210 node          10.0.0.5:40022       10.0.0.12:5432         1.27MB  43.5KB",
            "    915 redis-server  10.0.0.5:6379        10.0.0.31:42910         287KB   723KB",
            "   1875 nginx         [2001:db8::5]:443    [2001:d…::19e3]:58122  7.66KB   621KB",
            "   3311 postgres      10.0.0.5:5432        10.0.0.31:42480        70.3KB   511KB",
            "   2210 node          10.0.0.5:40024       10.0.0.12:5432          407KB  22.5KB",
            "   6001 prometheus    10.0.0.5:46100       10.0.0.41:9100         57.4KB  1.47KB",
            "   6001 prometheus    10.0.0.5:46102       10.0.0.42:9100         53.1KB  1.46KB",
            "   7344 kubelet       10.0.0.5:44414       10.0.0.2:6443          22.8KB  12.5KB",
            "   8080 python3       10.0.0.5:33810       198.51.100.99:443      13.4KB  3.02KB",
            "   7399 containerd    [::1]:39144          [::1]:10010            1.65KB  1.99KB",
            "   5188 sshd          10.0.0.5:22          192.0.2.16:50990         550B  1.21KB",
            "",
            FOOTER,
        ])

    def test_without_what_the_summary_line_says(self):
        self.assertEqual(self.start("-S").cells()[0], " tcptop  end of recording  every 1 s  sums since 10:42:16")

    def test_40x10_and_200x60(self):
        terminal = self.start(width=40, height=10)
        cells = terminal.cells()
        self.assertEqual(len(cells), 10)
        self.assertEqual(cells[3].split(), ["NAME", "REMOTE", "▼RX/s", "▼TX/s"])
        self.assertEqual(cells[4].split()[0], "rsync")
        self.assertEqual(cells[9], "F1Help F4Filter F6Sort TabGroup F10Quit")
        terminal.resize(200, 60)
        cells = terminal.wait_for("NETNS")
        self.assertEqual(len(cells), 60)
        self.assertEqual(cells[8].split(), ["PID", "NAME", "▼RX/s", "▼TX/s", "TOTAL", "USER", "LOCAL", "REMOTE",
                                            "HISTORY", "CONTAINER", "NETNS"])
        terminal.resize(40, 5)
        terminal.wait_line(0, "40x5 is too small: 30x6 or more")
        terminal.resize(1, 1)
        terminal.wait_until(lambda now: len(now) == 1, "one cell")  # the last cell, which curses leaves alone
        terminal.resize(29, 10)
        terminal.wait_line(0, "needs 30x6")
        terminal.resize(80, 24)
        terminal.wait_line(23, FOOTER)

    def test_a_terminal_of_any_size(self):
        """A pseudo-terminal takes any size that it is told: four thousand million cells here."""
        path = recording("demo", "1")
        for at_start in True, False:
            pid, fd = pty.fork()
            if pid == 0:
                if at_start:
                    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 65535, 65535, 0, 0))
                resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
                os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
                os.execv(self.tcptop, [self.tcptop, "--replay", path])
            try:
                self.read_until(fd, b"end of recording")
                if not at_start:
                    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 65535, 65535, 0, 0))
                os.write(fd, b"?")
                self.read_until(fd, b"One step back")
                os.write(fd, b"qq")
                self.read_until(fd, None)
            finally:
                os.close(fd)  # ends it in any case
            self.assertEqual(self.status_of(pid), 0)

    def status_of(self, pid):
        end = time.monotonic() + 5
        while time.monotonic() < end:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return status
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise AssertionError("it did not end")

    def read_until(self, fd, text):
        """Until this was written; None: until it has ended."""
        read, end = b"", time.monotonic() + 10
        while text is None or text not in read:
            self.assertTrue(select.select([fd], [], [], max(0, end - time.monotonic()))[0], read[-2000:])
            try:
                read += os.read(fd, 65536)
            except OSError:  # what reading gives when nobody holds the other end any more
                self.assertIsNone(text, read[-2000:])
                return

    def test_resize_storm(self):
        terminal = self.start()
        for step in range(40):
            terminal.resize(20 + step * 37 % 150, 3 + step * 17 % 60)
        terminal.resize(80, 24)
        cells = terminal.wait_until(lambda now: len(now) == 24 and now[23] == FOOTER, "the whole screen")
        self.assertIn("rsync", cells[5])

    def test_odd_names(self):
        terminal = self.start(name=("odd",))
        cells = terminal.wait_for("plain")
        for line in cells[5:19]:
            # Wide characters take two columns each.
            wide = sum(1 for c in line.split("10.0.0.5")[0] if ord(c) > 0x1100 and ord(c) not in (0x2026,))
            combining = sum(1 for c in line if 0x300 <= ord(c) < 0x370)
            if "10.0.0.5:1000" in line:
                self.assertEqual(line.index("10.0.0.5:1000") + wide - combining, 22, line)
        text = "\n".join(cells)
        for expected in ("日本語名", "new\\x0aline", "rtl\\u202etxet", "tab\\x09here", "bad\\xff\\xfe", "back\\slash"):
            self.assertIn(expected, text)
        self.assertNotIn("\x1b[31m", terminal.styled())
        self.assertIn("[2001:d", text)
        self.assertIn(":65534", text)

    # ---- keys ----

    def test_sorting(self):
        terminal = self.start()
        terminal.keys("R")
        terminal.wait_for("by RX/s")
        self.assertEqual(self.names(terminal)[:3], ["curl", "nginx", "node"])
        terminal.keys("I")
        terminal.wait_for("by RX/s over 10s ▲")
        self.assertEqual(self.names(terminal)[0], "sshd")
        terminal.keys("F6")
        terminal.wait_for("Sort by")
        terminal.keys("Home", "Down", "Enter")
        terminal.wait_for("by NAME")
        self.assertEqual(self.names(terminal), sorted(self.names(terminal)))
        terminal.keys("<")
        terminal.wait_for("by PID")
        self.assertEqual(self.names(terminal)[0], "redis-server")
        terminal.keys(">", ">")
        terminal.wait_for("by LOCAL")

    def selected_line(self, terminal):
        """The number of the table's line that is in reverse video."""
        lines = terminal.styled().split("\n")
        starts = [re.match("(\x1b\\[[0-9;]*m)*", line).group() for line in lines]
        numbers = [y for y in range(5, 23) if re.search("[\\[;]7m", starts[y])]
        self.assertEqual(len(numbers), 1, numbers)
        return numbers[0]

    def test_scrolling(self):
        terminal = self.start(name=("many", "200", "1"))
        first = terminal.cells()
        self.assertEqual(self.selected_line(terminal), 5)
        terminal.keys("Down", "Down")
        terminal.wait_until(lambda _: self.selected_line(terminal) == 7, "the third row")
        self.assertEqual(terminal.cells()[5:23], first[5:23])
        terminal.keys("NPage")
        terminal.wait_until(lambda cells: cells[5] != first[5], "the next page")
        self.assertEqual(self.selected_line(terminal), 22)
        terminal.keys("End")
        last = terminal.wait_until(lambda cells: first[22] not in cells, "the end")
        self.assertEqual(self.selected_line(terminal), 22)
        terminal.keys("Up", "k", "j", "Down", "Down", "PPage", "NPage")
        terminal.wait_until(lambda cells: cells == last and self.selected_line(terminal) == 22, "the end")
        terminal.keys("Home")
        terminal.wait_until(lambda cells: cells == first, "the top")
        self.assertEqual(self.selected_line(terminal), 5)

    def test_filter_and_search(self):
        terminal = self.start()
        terminal.keys("F4")
        terminal.wait_for("Filter:")
        terminal.type("ng")
        terminal.wait_for("4 of 17 connections")
        terminal.type(" !127.")
        terminal.wait_for("3 of 17 connections")
        terminal.keys("Enter")
        cells = terminal.wait_line(23, FOOTER)
        self.assertIn("filter: ng !127.", cells[3])
        terminal.keys("Escape")
        terminal.wait_line(3, " 17 connections  by RX+TX/s over 10s ▼")
        terminal.keys("/")
        terminal.type("5432")
        terminal.wait_for("Search: 5432")
        terminal.keys("Enter", "Enter")
        terminal.wait_for("10.0.0.12:5432")
        terminal.wait_for("Process     node, PID 2210")
        terminal.keys("Escape")
        terminal.wait_for(FOOTER)
        terminal.keys("/")
        terminal.type("nowhere")
        terminal.wait_for("not found")
        terminal.keys("Escape")
        terminal.wait_gone("Search:")

    def test_filter_as_the_screen_shows_it(self):
        """One recording for all: what was typed before is cleared by Esc."""
        terminal = self.start(width=160)
        for text, found in (
            ("10.0.0.31", "2"), ("10.0.0.3", None), ("10.0.0.0/24 !port:443", "9"), ("[::1]:39144", "1"),
            ("2001:DB8::5", "1"), ("443", "5"), ("44", None), ("port:5432 comm:node", "2"), ("!local", "14"),
            ("host:203.0.113.0/24", "1"), ("pid:1874", "2"),
        ):
            terminal.keys("F4")
            terminal.wait_for("Filter:")
            terminal.type(text)
            terminal.wait_for("Filter: " + text)
            terminal.wait_for("%s of 17 connections" % found if found else "No connection passes")
            terminal.keys("Enter")
            terminal.wait_for("F1Help")
            terminal.keys("Escape")
            terminal.wait_gone("filter: ")
        terminal.keys("F4")
        terminal.type("https !local")
        terminal.wait_for("No connection passes")
        terminal.keys("Enter", "n")  # names of ports
        terminal.wait_for(":https")
        terminal.wait_for("5 of 17 connections")

    def test_filter_says_what_is_wrong(self):
        terminal = self.start()
        terminal.keys("F4")
        terminal.type("prot:443")
        terminal.wait_for("no field 'prot'")
        terminal.keys(*["BSpace"] * 8)
        terminal.type("comm:nginx port:70000")
        terminal.wait_for("'70000' is no port")
        terminal.wait_for("4 of 17 connections")
        terminal.keys("Enter")
        terminal.wait_gone("Filter: ")
        terminal.wait_for("'70000' is no port")

    def test_filter_of_the_command_line(self):
        terminal = self.start("--filter", "comm:NGINX !local")
        terminal.wait_for("3 of 17 connections")
        self.assertIn("filter: comm:NGINX !local", terminal.cells()[3])
        terminal.keys("F4")
        terminal.wait_for("Filter: comm:NGINX !local")
        terminal.keys("Escape")
        terminal.wait_gone("filter: ")

    def test_details_name_the_other_end(self):
        terminal = self.start()
        terminal.keys("/")
        terminal.type("nginx 8080")
        terminal.keys("Enter", "Enter")
        cells = terminal.wait_for("Other end")
        text = "\n".join(cells)
        for expected in ("Process     nginx, PID 1875", "Local       127.0.0.1:37912", "Remote      127.0.0.1:8080",
                         "Other end   node, PID 2210, on this host", "Namespaces  network 4026531840",
                         "First seen  10:42:17"):
            self.assertIn(expected, text)
        terminal.keys("q")
        terminal.wait_for(FOOTER)

    def test_groups(self):
        terminal = self.start()
        terminal.keys("Tab")
        cells = terminal.wait_for("12 processes")
        self.assertNotIn("REMOTE", cells[4])
        self.assertEqual(cells[5].split()[:3], ["1874", "nginx", "53.6KB"])
        terminal.keys("Tab")
        cells = terminal.wait_for("remote hosts")
        self.assertTrue(cells[4].startswith("REMOTE"))
        terminal.keys("BTab")
        terminal.wait_for("processes")
        terminal.keys("Down", "Up", "Right")
        cells = terminal.wait_for("in nginx (1874)")
        self.assertEqual(self.names(terminal)[:2], ["nginx", "nginx"])
        self.assertIn("2 of 17 connections", cells[3])
        terminal.keys("Escape")
        terminal.wait_for("12 processes")

    def test_units_amounts_names_and_families(self):
        terminal = self.start()
        for unit in (r"\dKB ", r"\dB ", r"\dMb(it)? ", r"\dMB "):
            terminal.keys("m")
            terminal.wait_until(lambda cells: re.search(unit, cells[5] + " "), unit)
        for title in ("▼RX ", "▼RX sum", "▼RX/s"):
            terminal.keys("c")
            terminal.wait_for(title)
        terminal.keys("n")
        terminal.wait_for("151.101.2.132:https")
        terminal.keys("6")
        terminal.wait_for("IPv6 only")
        rows = [line for line in terminal.cells()[5:-1] if line]
        self.assertTrue(all("[" in line for line in rows[:-1]))
        self.assertRegex(rows[-1], "^ *sum ")
        terminal.keys("6", "4")
        terminal.wait_for("IPv4 only")
        self.assertFalse(any("[" in line for line in terminal.cells()[5:-1]))

    def test_columns(self):
        terminal = self.start("--columns", "name,tx,history", "--sort", "tx:asc")
        cells = terminal.wait_for("HISTORY")
        self.assertEqual(cells[4].split(), ["NAME", "▲TX/s", "HISTORY"])
        terminal.keys("F2")
        terminal.wait_for("Columns (Space)")
        terminal.keys("Space", "Escape")
        terminal.wait_gone("(Space)")
        cells = terminal.cells()
        self.assertEqual(cells[4].split(), ["PID", "NAME", "▲TX/s", "HISTORY"])

    def test_users(self):
        terminal = self.start()
        terminal.keys("u")
        terminal.wait_for("all users")
        terminal.keys("Down", "Down", "Enter")
        terminal.wait_for("user: 33")
        self.assertEqual(self.names(terminal)[:-1], ["nginx"] * 4)
        terminal.keys("Escape")
        terminal.wait_for("rsync")

    def test_freeze(self):
        terminal = self.start(name=("demo", "60"))
        terminal.keys("Z")
        frozen = terminal.wait_for("PAUSED")
        time.sleep(1.5)
        self.assertEqual(terminal.cells(), frozen)
        terminal.keys("p")
        terminal.wait_gone("PAUSED")
        terminal.wait_until(lambda cells: cells[0] != frozen[0].replace("  PAUSED", ""), "the clock to go on")

    def test_help(self):
        for opening, closing in (("?", "q"), ("h", "Escape"), ("F1", "h")):
            terminal = self.start()
            terminal.keys(opening)
            cells = terminal.wait_for("One step back")
            self.assertTrue(all(len(line) <= 80 for line in cells))
            for expected in ("\\ F4", "/ F3", "Z p Space", "g Tab", "C F2", "links: ", "ended: ", "services: ", "q F10"):
                self.assertTrue(any(expected in line for line in cells), expected)
            terminal.keys(closing)
            terminal.wait_for(FOOTER)

    # ---- looks ----

    def test_colors(self):
        colored = "\x1b[36m", "\x1b[35m", "\x1b[46m", "\x1b[30m\x1b[46m", "\x1b[94m", "[35m", "[46m"
        for options, environment, expected in ((), "", True), (("--color", "never"), "", False), \
                ((), "NO_COLOR=1", False), (("--color", "always"), "NO_COLOR=1", True), ((), "TERM=vt100", False):
            terminal = self.start(*options, environment=environment)
            styled = terminal.styled()
            self.assertEqual(any(code in styled for code in colored), expected, (options, environment))
            self.assertRegex(styled, r"\x1b\[[0-9;]*7m")

    def test_ascii(self):
        terminal = self.start(environment="LC_ALL=C")
        terminal.wait_for("vRX/s")
        self.assertTrue("\n".join(terminal.cells()).isascii())

    def test_measured_columns(self):
        """A recording made with them has them, asked for at the start or not; and asked for, they have room."""
        path = os.path.join(RECORDINGS["folder"], "measured.json")
        with open(recording("demo", "1"), encoding="utf-8") as made, open(path, "w", encoding="utf-8") as stream:
            for i, line in enumerate(made):
                one = json.loads(line)
                if one["type"] == "session":
                    one.update(rtt_us=[420, 31_700, 1_204_000][i % 3], retransmits=i)
                stream.write(json.dumps(one) + "\n")
        RECORDINGS[("measured", "1")] = path
        terminal = self.start("--columns", "pid,name,laddr,raddr,rx,tx,rtt,retrans", name=("measured", "1"))
        cells = terminal.cells()
        self.assertEqual(cells[4].split(), ["PID", "NAME", "REMOTE", "▼RX/s", "▼TX/s", "SRTT", "RETR", "SUM"])
        self.assertEqual([cells[y].split()[-2:] for y in (5, 6, 7)],
                         [["0.420ms", "9"], ["0.420ms", "0"], ["31.7ms", "13"]])
        terminal.keys("F6", "End", "Enter")
        cells = terminal.wait_for("by RETR SUM")
        figures = [int(line.split()[-1]) for line in cells[5:-1] if line]
        self.assertEqual(figures, sorted(figures, reverse=True))
        terminal = self.start(name=("measured", "1"), width=200, height=60)
        terminal.keys("F2", "End")
        terminal.wait_for("segments sent again in all its life")
        terminal.keys("Space", "Escape")
        terminal.wait_for("RETR SUM")


main()
