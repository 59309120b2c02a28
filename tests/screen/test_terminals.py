#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What terminals send and what they are: sequences, pasted text, the mouse; kinds, sizes, stops, locales.

    test_terminals.py TCPTOP [TEST ...]
"""

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import FOOTER, ScreenTest, main, process_of, recording  # noqa: E402

SESSIONS = " 17 connections  by RX+TX/s over 10s ▼"


class Pty:
    """The program on a pseudo-terminal whose bytes are looked at themselves."""

    def __init__(self, command, environment, rows, columns):
        self.output = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            self.size(rows, columns, 0)
            os.execvpe(command[0], command, environment)
        self.size(rows, columns)

    def size(self, rows, columns, fd=None):
        fcntl.ioctl(self.fd if fd is None else fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def send(self, data):
        os.write(self.fd, data)

    def read(self, seconds):
        """True until the program has ended."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: the program has gone
            return False
        self.output += data
        return bool(data)

    def wait_for(self, data, seconds=10):
        end = time.monotonic() + seconds
        while data not in self.output:
            if not self.read(0.1) or time.monotonic() > end:
                raise AssertionError("no %r in %r" % (data, self.output[-2000:]))

    def settle(self, seconds=0.3):
        """Until nothing was written for so long."""
        before = None
        while before != len(self.output):
            before = len(self.output)
            if not self.read(seconds):
                return

    def end(self, seconds=10):
        """The exit status; the negative signal number."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0.05) and select.select([self.fd], [], [], 0.05)[0]:
                    pass
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("it does not end; written last: %r" % self.output[-500:])


class TerminalsTest(ScreenTest):
    def pty(self, *options, term="xterm-256color", rows=24, columns=80, **environment):
        return Pty([self.tcptop, "--replay", recording("demo", "1"), *options],
                   {"PATH": os.environ["PATH"], "TERM": term, "LANG": "C.UTF-8", "TZ": "UTC", **environment}, rows,
                   columns)

    # ---- what comes in ----

    def test_sequences_are_swallowed_whole(self):
        """A filter is on, which Esc would drop; 4 would show IPv4 alone, q quit, r start the sums anew."""
        terminal = self.start()
        terminal.keys("F4")
        terminal.type("n")
        terminal.keys("Enter")
        before = terminal.wait_line(23, FOOTER)
        self.assertIn("filter: n", before[3])
        for data in (b"\x1b[2~", b"\x1b[24~", b"\x1b[1;5A", b"\x1b[21;2~", b"\x1b[24;80R", b"\x1b[?64;4;6q", b"\x1bq", b"\x1b4",
                     b"\x1b[I", b"\x1b]11;rgb:4444/4444/4444\x1b\\", b"\x1bP>|q4r\x1b\\", b"\x1b_Gq\x1b\\", b"\x1b[<0;5;20M",
                     b"\x1b[M q4", b"\x1b[113;3u", b"\x1b[27;3;113~", b"\x1b[7$", b"\x1bOt"):
            with self.subTest(data):
                for cut in {len(data), 2, max(2, len(data) // 2), max(2, len(data) - 1)}:
                    terminal.raw(data[:cut])
                    if data[cut:]:
                        time.sleep(0.1)
                        terminal.raw(data[cut:])
                time.sleep(0.06)
                self.assertEqual(terminal.cells(), before)

    def test_home_and_end_of_every_terminal(self):
        terminal = self.start()
        terminal.keys("F4")
        terminal.type("n")
        terminal.keys("Enter")
        terminal.wait_line(23, FOOTER)
        for home, end in ((b"\x1b[1~", b"\x1b[4~"), (b"\x1b[7~", b"\x1b[8~"), (b"\x1b[H", b"\x1b[F"), (b"\x1bOH", b"\x1bOF")):
            for data, ends in ((end, True), (home, False)):
                terminal.raw(data)
                terminal.raw(b"\r")
                cells = terminal.wait_for("Process ")
                self.assertEqual("rsync" not in cells[1], ends)
                terminal.keys("Escape")
                cells = terminal.wait_line(23, FOOTER)
                self.assertIn("filter: n", cells[3])
        terminal.raw(b"\x1b[14~")
        terminal.wait_for("Filter: n")

    def paste(self, terminal, text):
        terminal.tmux("set-buffer", text)
        terminal.tmux("paste-buffer", "-p")

    def test_pasted_text_is_no_keys(self):
        terminal = self.start()
        self.paste(terminal, "q4rZ\nq\n")
        time.sleep(0.2)
        self.assertEqual(terminal.cells()[3], SESSIONS)
        terminal.keys("?")
        terminal.wait_for("One pod?")
        self.paste(terminal, "qq")
        time.sleep(0.2)
        terminal.wait_for("One pod?")
        terminal.keys("q")
        terminal.wait_line(23, FOOTER)
        terminal.keys("F4")
        terminal.wait_for("Filter:")
        self.paste(terminal, "\nnginx\nq\n")
        cells = terminal.wait_for("4 of 17 connections")
        self.assertIn("Filter: nginx", cells[23])
        terminal.keys("Enter", "/")
        self.paste(terminal, ":8080\n")
        terminal.wait_for("Search: :8080")

    def test_escape_is_quick(self):
        terminal = self.pty()
        terminal.wait_for(b"rsync")
        terminal.settle()
        terminal.send(b"?")
        terminal.settle()
        seen = len(terminal.output)
        start = time.monotonic()
        terminal.send(b"\x1b")
        while len(terminal.output) == seen and time.monotonic() < start + 2:
            terminal.read(0.001)
        passed = time.monotonic() - start
        self.assertGreater(len(terminal.output), seen)
        self.assertLess(passed, 0.5)  # 40 ms, on a machine with time
        terminal.send(b"q")
        self.assertEqual(terminal.end(), 0)

    def test_mouse(self):
        terminal = self.start()
        flags = "#{mouse_standard_flag}#{mouse_sgr_flag}"
        self.assertEqual(terminal.tmux("display-message", "-p", flags).strip(), "00")
        terminal.raw(b"\x1b[<0;40;24M")
        terminal.keys("M")
        terminal.wait_for("mouse on")
        self.assertEqual(terminal.tmux("display-message", "-p", flags).strip(), "11")
        terminal.raw(b"\x1b[<0;70;5M\x1b[<0;70;5m")  # the title of RX/s, 5th line
        terminal.wait_for("by RX/s")
        terminal.raw(b"\x1b[<0;70;5M\x1b[<0;70;5m")
        cells = terminal.wait_for("▲RX/s")
        name = cells[8].split()[1]
        terminal.raw(b"\x1b[<0;20;9M\x1b[<0;20;9m")
        footer = terminal.wait_line(23, FOOTER)[23]
        terminal.raw(b"\x1b[<0;%d;24M" % (footer.index("Details") + 1))
        terminal.wait_for("Process     %s, " % name)
        terminal.raw(b"\x1b[<0;2;24M")
        terminal.wait_line(23, FOOTER)
        terminal.raw(b"\x1b[<65;2;9M\r")
        terminal.wait_for("Process     %s, " % cells[11].split()[1])
        terminal.raw(b"\x1b[<0;2;24M")
        terminal.wait_line(23, FOOTER)
        terminal.raw(b"\x1b[<0;%d;24M" % (footer.index("Sort") + 1))
        terminal.wait_for("Sort by")
        terminal.raw(b"\x1b[<0;2;6M\r")
        terminal.wait_for("by PID")
        terminal.keys("M")
        terminal.wait_for("mouse off")
        self.assertEqual(terminal.tmux("display-message", "-p", flags).strip(), "00")
        terminal = self.start("--mouse")
        self.assertEqual(terminal.tmux("display-message", "-p", flags).strip(), "11")
        terminal.keys("q")
        terminal.wait_for("READY$")
        self.assertEqual(terminal.tmux("display-message", "-p", flags).strip(), "00")

    # ---- what the terminal is ----

    def test_modes_are_given_back(self):
        for number in (None, signal.SIGTERM, signal.SIGSEGV):
            with self.subTest(number):
                terminal = self.pty("--mouse")
                terminal.wait_for(b"rsync")
                for on in (b"\x1b[?2004h", b"\x1b[?1000h", b"\x1b[?1006h"):
                    self.assertIn(on, terminal.output)
                if number:
                    os.kill(terminal.pid, number)
                else:
                    terminal.send(b"q")
                terminal.end()
                for off in (b"2004", b"1000", b"1006"):
                    self.assertGreater(terminal.output.rfind(b"\x1b[?%sl" % off), terminal.output.rfind(b"\x1b[?%sh" % off))

    def kinds(self):
        known = subprocess.run(["toe", "-a"], capture_output=True, text=True, check=False).stdout
        return sorted({line.split()[0] for line in known.split("\n") if line.strip()})

    def test_every_kind_of_terminal(self):
        """Each that terminfo knows here and that can move its cursor, also where terminfo has no size for it."""
        kinds = self.kinds()
        for needed in ("linux", "cygwin", "hurd", "vt100", "xterm"):
            self.assertIn(needed, kinds)
        for term in kinds:
            can_move = subprocess.run(["infocmp", "-1", term], capture_output=True, text=True, check=False)
            if "\tcup=" not in can_move.stdout:
                continue
            for rows, columns in ((24, 80), (10, 40), (0, 0)):
                with self.subTest(term=term, rows=rows, columns=columns):
                    terminal = self.pty("-o", "screen", term=term, rows=rows, columns=columns)
                    terminal.wait_for(b"rsync")
                    terminal.send(b"q")
                    self.assertEqual(terminal.end(), 0)

    def test_sizes_that_terminals_claim(self):
        for term in ("xterm-256color", "linux"):
            for rows, columns in ((0, 0), (65535, 65535), (1, 1), (1, 65535), (65535, 1), (24, 0)):
                with self.subTest(term=term, rows=rows, columns=columns):
                    terminal = self.pty("-o", "screen", term=term, rows=rows, columns=columns)
                    terminal.settle()
                    for other in ((65535, 65535), (0, 0), (3, 500), (24, 80)):
                        terminal.size(*other)
                        os.kill(terminal.pid, signal.SIGWINCH)
                        terminal.settle(0.1)
                    terminal.output = b""
                    terminal.send(b"\x0c")
                    terminal.wait_for(b"rsync")
                    terminal.send(b"q")
                    self.assertEqual(terminal.end(), 0)

    def test_size_by_the_environment(self):
        terminal = self.pty("-o", "screen", term="linux", rows=0, columns=0, LINES="12", COLUMNS="200")
        terminal.wait_for(b"rsync")
        terminal.settle()
        self.assertIn(b"\x1b[12;", terminal.output)
        self.assertNotIn(b"\x1b[13;", terminal.output)
        terminal.send(b"q")
        self.assertEqual(terminal.end(), 0)

    def test_stopped_without_a_word(self):
        terminal = self.start("--mouse")
        before = terminal.cells()
        os.kill(process_of(terminal), signal.SIGSTOP)
        terminal.wait_for("Stopped")
        terminal.type("stty sane; printf '\\033[?1000l\\033[?25h'; clear; echo something else")
        terminal.keys("C-j")  # dash leaves the terminal as it was stopped
        terminal.wait_for("something else")
        terminal.type("fg")
        terminal.keys("Enter")
        terminal.wait_until(lambda cells: cells == before, "the screen again")
        self.assertEqual(terminal.tmux("display-message", "-p", "#{cursor_flag}#{alternate_on}#{mouse_standard_flag}").strip(),
                         "011")
        terminal.keys("R")
        terminal.wait_for("by RX/s")
        terminal.keys("q")
        terminal.wait_for("READY$")

    # ---- locales ----

    def test_a_locale_that_is_not_installed(self):
        for name, wide in (("xx_XX.UTF-8", True), ("xx_XX.utf8", True), ("xx_XX", False), ("C", False)):
            for variable in ("LANG", "LC_ALL"):
                with self.subTest(variable + "=" + name):
                    terminal = self.start(environment="env -u LANG -u LC_ALL %s=%s" % (variable, name))
                    terminal.wait_for("▼RX/s" if wide else "vRX/s")

    def test_decimal_comma(self):
        """Numbers are written and read with a point, whatever the locale's is."""
        if not shutil.which("localedef"):
            self.skipTest("localedef is not installed")
        folder = self.enterContext(tempfile.TemporaryDirectory())
        made = subprocess.run(["localedef", "--no-archive", "-i", "de_DE", "-f", "UTF-8", os.path.join(folder, "de_DE.UTF-8")],
                              capture_output=True, text=True, check=False)
        if not os.path.isdir(os.path.join(folder, "de_DE.UTF-8")):
            self.skipTest("localedef makes no de_DE: " + made.stderr.strip())
        results = []
        for locale in ("C.UTF-8", "de_DE.UTF-8"):
            environment = {"PATH": os.environ["PATH"], "LOCPATH": folder, "LC_ALL": locale, "TZ": "UTC"}
            for output in ("json", "text"):
                run = subprocess.run([self.tcptop, "--replay", recording("demo", "3"), "-o", output, "0.5", "2"], env=environment,
                                     capture_output=True, text=True, check=False)
                self.assertEqual((run.returncode, run.stderr), (0, ""))
                results.append(run.stdout)
        self.assertEqual(results[:2], results[2:])


main()
