# SPDX-License-Identifier: Apache-2.0
"""A terminal of our own for a test: a tmux server behind a private socket."""

import os
import shlex
import subprocess
import tempfile
import time


class Terminal:
    """One tmux server with one window. Everything is waited for, nothing slept for.

    A screen arrives in pieces: beside the word that was waited for may stand what is left of the screen before.
    So whoever waits gets cells that have stayed the same for a moment; what must be exact is waited for itself.
    """

    def __init__(self, width=80, height=24):
        self.folder = tempfile.TemporaryDirectory(prefix="tcptop_screen_")
        self.socket = os.path.join(self.folder.name, "tmux")
        environment = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "TERM": "xterm-256color", "LANG": "C.UTF-8", "TZ": "UTC", "HOME": self.folder.name,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            if name in os.environ:
                environment[name] = os.environ[name]
        subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y",
                        str(height), "sh"], env=environment, check=True)
        # dash takes no prompt from its environment. The quotes keep the command itself from looking like one.
        self.type("PS1='READY''$ '; clear")
        self.keys("Enter")
        self.wait_for("READY$")

    def tmux(self, *arguments):
        result = subprocess.run(["tmux", "-S", self.socket, *arguments], check=True, capture_output=True)
        return result.stdout.decode("utf-8", "replace")

    def close(self):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], check=False, capture_output=True)
        self.folder.cleanup()

    def cells(self):
        """The lines on the screen, without blanks at their ends."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").split("\n")[:-1]]

    def styled(self):
        """The screen with the escape sequences that its colours and attributes take."""
        return self.tmux("capture-pane", "-p", "-e", "-N")

    def scrollback(self):
        return self.tmux("capture-pane", "-p", "-S", "-200")

    def raw(self, data):
        """Bytes as a terminal sends them."""
        self.tmux("send-keys", "-H", *["%02x" % byte for byte in data])

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def run(self, *command, redirect="", environment=""):
        """Types a command line into the shell."""
        self.type(" ".join([environment, shlex.join(command), redirect]).strip())
        self.keys("Enter")

    def resize(self, width, height):
        self.tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_until(self, test, what, seconds=10):
        """Until test(cells) holds and nothing moves; fails with what is on the screen."""
        end = time.monotonic() + seconds
        before = None
        while True:
            cells = self.cells()
            if test(cells) and cells == before:
                return cells
            before = cells
            if time.monotonic() > end:
                raise AssertionError("waited %s s for %s; on the screen:\n%s" % (seconds, what, "\n".join(cells)))
            time.sleep(0.03)

    def wait_for(self, text, seconds=10):
        return self.wait_until(lambda cells: any(text in line for line in cells), repr(text), seconds)

    def wait_gone(self, text, seconds=10):
        return self.wait_until(lambda cells: not any(text in line for line in cells), "no %r" % text, seconds)

    def wait_line(self, y, text, seconds=10):
        """Until this line, from the top or (negative) the bottom, is exactly this."""
        return self.wait_until(lambda cells: cells[y:][:1] == [text], "line %d: %r" % (y, text), seconds)
