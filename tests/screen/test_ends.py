#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the screen begins and ends: what the terminal gets back, recordings to their end, and what is refused.

    test_ends.py TCPTOP [TEST ...]
"""

import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import FOOTER, ScreenTest, is_running, main, process_of, recording  # noqa: E402
from tmux import Terminal  # noqa: E402


class EndsTest(ScreenTest):
    def test_the_last_table_stays(self):
        terminal = self.start()
        before = [line for line in terminal.cells() if line]
        terminal.keys("q")
        terminal.wait_for("READY$")
        lines = [line for line in terminal.scrollback().split("\n")]
        start = next(i for i, line in enumerate(lines) if line.startswith(" tcptop"))
        self.assertEqual([line.rstrip() for line in lines[start:start + len(before) - 1]], before[:-1])

    def test_no_final(self):
        terminal = self.start("--no-final")
        terminal.keys("F10")
        terminal.wait_for("READY$")
        self.assertNotIn("rsync", terminal.scrollback())

    def expect_sane_terminal(self, terminal):
        """Echo, line editing, cursor and the normal screen are back."""
        terminal.type("stty -a | grep -c ' echo .*' ; stty -a | grep -o '[-]*icanon'; echo sane")
        terminal.keys("Enter")
        cells = terminal.wait_until(lambda now: any(line == "sane" for line in now), "the shell")
        self.assertIn("icanon", cells)
        self.assertEqual(terminal.tmux("display-message", "-p", "#{cursor_flag} #{alternate_on}").strip(), "1 0")

    def test_every_end_gives_the_terminal_back(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGSEGV, signal.SIGABRT):
            with self.subTest(number):
                terminal = self.start()
                os.kill(process_of(terminal), number)
                terminal.wait_for("READY$")
                self.expect_sane_terminal(terminal)
        terminal = self.start()
        terminal.keys("C-c")
        terminal.wait_for("READY$")
        self.expect_sane_terminal(terminal)

    def test_suspend_and_go_on(self):
        terminal = self.start()
        terminal.keys("C-z")
        terminal.wait_for("READY$")
        self.expect_sane_terminal(terminal)
        terminal.type("fg")
        terminal.keys("Enter")
        cells = terminal.wait_for(FOOTER)
        self.assertIn("rsync", cells[5])
        terminal.keys("q")
        terminal.wait_for("READY$")

    def test_a_terminal_that_vanishes(self):
        terminal = self.start()
        pid = process_of(terminal)
        terminal.tmux("kill-server")
        end = time.monotonic() + 2
        while is_running(pid) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertFalse(is_running(pid))

    def test_keys_while_stdin_is_a_pipe(self):
        terminal = Terminal()
        self.addCleanup(terminal.close)
        terminal.run(self.tcptop, "--replay", "-", environment="cat %s |" % recording("demo", "1"))
        terminal.wait_for("sums since")
        terminal.keys("q")
        terminal.wait_for("READY$")

    def test_a_recording_plays_to_its_end(self):
        terminal = self.start(name=("demo", "2"), ready="10:42:17  recording")
        cells = terminal.wait_for("10:42:18  end of recording")
        self.assertEqual(cells[23], FOOTER)
        terminal.keys("R")
        terminal.wait_for("by RX/s")

    def test_a_pipe_that_stays_open(self):
        """Waiting for the next interval holds up neither keys nor the end."""
        terminal = Terminal()
        self.addCleanup(terminal.close)
        holder = os.path.join(terminal.folder.name, "holder")
        os.mkfifo(holder)
        terminal.type("(cat %s; read x < %s) | %s --replay - ; echo rc=$?" % (recording("demo", "2"), holder, self.tcptop))
        terminal.keys("Enter")
        terminal.wait_for("10:42:18  recording")  # the latest: nobody knows yet whether it is the last
        terminal.keys("R")
        terminal.wait_for("by RX/s")
        terminal.keys("q")
        terminal.wait_gone("F1Help")
        with open(holder, "w", encoding="ascii") as stream:
            stream.write("\n")
        terminal.wait_for("rc=0")

    def test_terminals_that_will_not_do(self):
        for environment in ("TERM=dumb", "TERM=", "TERM=no-such-terminal"):
            with self.subTest(environment):
                terminal = Terminal()
                self.addCleanup(terminal.close)
                terminal.run(self.tcptop, "-o", "screen", "--replay", recording("demo", "1"), redirect="; echo rc=$?",
                             environment=environment)
                cells = terminal.wait_until(lambda now: "rc=4" in now, "exit status 4")
                self.assertIn("-C prints text", "".join(cells))

    def test_text_in_place_of_the_screen(self):
        """Where nobody asked for the screen a recording is printed instead, and ends."""
        terminal = Terminal()
        self.addCleanup(terminal.close)
        terminal.run(self.tcptop, "--replay", recording("demo", "3"), redirect="; echo rc=$?", environment="TERM=dumb")
        terminal.wait_until(lambda now: "rc=0" in now, "exit status 0")

    def test_a_filter_that_text_cannot_have(self):
        """Names of hosts are the screen's alone: the text in its place refuses them as -o text does."""
        terminal = Terminal()
        self.addCleanup(terminal.close)
        terminal.run(self.tcptop, "--filter", "host:example.org", "--replay", recording("demo", "3"), redirect="; echo rc=$?",
                     environment="TERM=dumb")
        cells = terminal.wait_until(lambda now: "rc=2" in now, "exit status 2")
        self.assertIn("host names are on the screen alone: with -o text", " ".join(cells))

    def test_a_bad_recording(self):
        terminal = Terminal()
        self.addCleanup(terminal.close)
        terminal.run(self.tcptop, "--replay", os.path.abspath(__file__), redirect="; echo rc=$?")
        cells = terminal.wait_until(lambda now: "rc=1" in now, "exit status 1")
        self.assertIn("line 1", " ".join(cells))


main()
