# SPDX-License-Identifier: Apache-2.0
"""What the tests of the screen on recordings share."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from tmux import Terminal

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDINGS = {}

FOOTER = "F1Help F2Columns F3Search F4Filter F6Sort TabGroup EnterDetails ZFreeze F10Quit"


def recording(*arguments):
    """The path of a recording made with these arguments."""
    if arguments not in RECORDINGS:
        path = os.path.join(RECORDINGS["folder"], "-".join(arguments) + ".json")
        with open(path, "wb") as stream:
            subprocess.run([os.path.join(HERE, "make_recording.py"), *arguments], stdout=stream, check=True)
        RECORDINGS[arguments] = path
    return RECORDINGS[arguments]


def process_of(terminal):
    """The process that the terminal's shell runs."""
    shell = terminal.tmux("display-message", "-p", "#{pane_pid}").strip()
    children = subprocess.run(["pgrep", "-P", shell], capture_output=True, text=True, check=False).stdout.split()
    return int(children[0]) if children else None


def is_running(pid):
    """Whoever inherits orphans here may leave zombies: they do not run."""
    try:
        with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as stream:
            return stream.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class ScreenTest(unittest.TestCase):
    tcptop = ""  # the program

    def start(self, *options, width=80, height=24, name=("demo", "1"), environment="", ready=None):
        """Waits for the end of a recording of one interval: nothing changes by itself any more then."""
        if ready is None:
            ready = "end of recording" if name[-1] in ("1", "odd") else "recording"
        terminal = Terminal(width, height)
        self.addCleanup(terminal.close)
        terminal.run(self.tcptop, "--replay", recording(*name), *options, environment=environment)
        if ready:
            terminal.wait_for(ready)
        return terminal

    def names(self, terminal, column=1):
        """The table's words in the given column, rows from the top."""
        rows = []
        for line in terminal.cells()[5:-1]:
            if line.strip():
                rows.append(line.split()[column])
        return rows


def live_program():
    """The program that a test on this host's traffic was given, as its first argument."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} TCPTOP [TEST ...]")
    program = os.path.abspath(sys.argv.pop(1))
    if os.geteuid() != 0:
        print("skipped: tracing needs root")
        sys.exit(77)
    if not shutil.which("tmux"):
        print("skipped: tmux is not installed")
        sys.exit(77)
    return program


def main():
    """Arguments: TCPTOP [TEST ...]"""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} TCPTOP [TEST ...]")
    ScreenTest.tcptop = os.path.abspath(sys.argv.pop(1))
    for tool in ("tmux", "pgrep"):
        if not shutil.which(tool):
            print("skipped: %s is not installed" % tool)
            sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="tcptop_recordings_") as folder:
        RECORDINGS["folder"] = folder
        unittest.main("__main__", verbosity=2)
