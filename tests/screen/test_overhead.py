#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""--max-overhead on the screen: the title says what it costs and how long intervals are, and holds within two of them.

    test_overhead.py TCPTOP [TEST ...]
"""

import os
import re
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import live_program  # noqa: E402
from tmux import Terminal  # noqa: E402

TCPTOP = ""
LIMIT = 0.5  # percent, which a screen that is drawn ten times a second is above
TITLE = re.compile(r" every ([\d.]+) s .*cost ([\d.]+)% of a CPU")

# Moves bytes until its standard input ends.
LOAD = """
import select, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
while not select.select([sys.stdin], [], [], 0)[0]:
    for _ in range(100):
        client.send(b"x" * 64)
        server.recv(64)
"""


class OverheadTest(unittest.TestCase):
    def start(self, *options):
        terminal = Terminal(140, 24)
        self.addCleanup(terminal.close)
        terminal.run(TCPTOP, "--no-settings", *options)
        return terminal

    def watch(self, terminal, seconds):
        """Each (interval in seconds, cost in percent) that the title has in that time, or until it is ended."""
        seen, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            cells = terminal.cells()
            found = TITLE.search(cells[0])
            title = (float(found[1]), float(found[2])) if found else None
            if title and (not seen or seen[-1] != title):
                seen.append(title)
            if any("stopped: it costs" in line for line in cells):
                self.assertGreaterEqual(len(seen), 1, cells)
                return seen, True
            time.sleep(0.02)
        return seen, False

    def test_intervals_become_longer_and_it_holds(self):
        """Other work that moves bytes costs, too: where it is above the limit by that, it ends, also within two intervals."""
        terminal = self.start("--max-overhead", str(LIMIT), "0.1")
        terminal.wait_until(lambda cells: " every " in cells[0] or "stopped" in "".join(cells), "the title", 20)
        seen, has_ended = self.watch(terminal, 5)
        print("%s%s" % (seen, ", and ended" if has_ended else ""))
        above = longest = 0
        for _, cost in seen:
            above = above + 1 if cost > LIMIT else 0
            longest = max(longest, above)
        self.assertLessEqual(longest, 3, seen)  # the one that is judged, and two
        if not has_ended:
            self.assertGreater(seen[-1][0], 0.1, seen)
            self.assertGreaterEqual(len(seen), 3, seen)
            terminal.keys("q")
        terminal.wait_for("READY$")

    def test_what_nothing_helps_is_ended(self):
        with subprocess.Popen([sys.executable, "-c", LOAD], stdin=subprocess.PIPE) as load:
            try:
                terminal = self.start("--max-overhead", "0.01", "0.3")
                cells = terminal.wait_for("stopped: it costs", 20)
                text = " ".join(cells)
                self.assertIn("above --max-overhead 0.01", text)
                terminal.wait_for("READY$")
                terminal.type("echo code $?")
                terminal.keys("Enter")
                terminal.wait_for("code 7")
            finally:
                load.stdin.close()


if __name__ == "__main__":
    TCPTOP = live_program()
    unittest.main(verbosity=2)
