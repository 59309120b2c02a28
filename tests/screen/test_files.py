#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files and the clipboard: what w, y and W write, for whom, and what settings may do.

    test_files.py TCPTOP [TEST ...]
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import ScreenTest, main, recording  # noqa: E402

NOBODYS_UID = 3999999  # of no user
BAD = "ignored"


class FilesTest(ScreenTest):
    def begin(self, *options, name=("demo", "1"), before="", environment="", width=80):
        """In a folder of its own, before which a command may run there; HOME is there, too."""
        from tmux import Terminal
        terminal = Terminal(width, 24)
        self.addCleanup(terminal.close)
        self.home = terminal.folder.name
        self.config = os.path.join(self.home, ".config", "tcptop")
        self.settings = os.path.join(self.config, "settings")
        os.makedirs(os.path.join(self.home, "work"))
        terminal.type("cd %s/work; %s clear" % (self.home, before))
        terminal.keys("Enter")
        terminal.wait_for("READY$")
        self.again(terminal, *options, name=name, environment=environment)
        return terminal

    def again(self, terminal, *options, name=("demo", "1"), environment=""):
        terminal.run(self.tcptop, "--no-final", "--replay", recording(*name), *options, environment=environment)
        terminal.wait_for("end of recording", 30)

    def files(self):
        return sorted(os.listdir(os.path.join(self.home, "work")))

    def read(self, name):
        with open(os.path.join(self.home, "work", name), encoding="utf-8") as stream:
            return stream.read()

    # ---- w ----

    def test_what_is_seen_is_written(self):
        terminal = self.begin()
        seen = terminal.cells()
        terminal.keys("w")
        terminal.wait_for("wrote tcptop-")
        json_name, text_name = self.files()
        self.assertRegex(text_name, r"^tcptop-\d{8}-\d{6}\.txt$")
        self.assertEqual(self.read(text_name).split("\n")[3:22], seen[3:22])
        self.assertGreater(self.read(text_name).count("\n"), 20)
        # The recording of it shows the same.
        terminal.keys("q")
        terminal.wait_for("READY$")
        terminal.run(self.tcptop, "--replay", json_name)
        terminal.wait_for("end of recording")
        self.assertEqual(terminal.cells()[1:-1], seen[1:-1])

    def test_no_file_is_written_over(self):
        terminal = self.begin()
        written = set()
        for count in range(1, 6):
            terminal.keys("w")
            terminal.wait_until(lambda cells: len(self.files()) == 2 * count and "wrote" in cells[-1], "files")
            written.update(self.files())
        self.assertEqual(len(written), 10)
        for name in self.files():
            self.assertIn("nginx", self.read(name))

    def test_a_moment_of_the_past_ends_the_recording(self):
        terminal = self.begin(name=("demo", "3"))
        terminal.keys("[")
        terminal.wait_for("recording 2/3")
        terminal.keys("w")
        terminal.wait_for("wrote tcptop-")
        lines = [json.loads(line) for line in self.read(self.files()[0]).split("\n") if line]
        self.assertEqual(sum(line["type"] == "interval" for line in lines), 2)

    def test_where_the_caller_may_not_write(self):
        """Root that has become nobody could not write, and what sudo's user may not is not written for that user."""
        if os.geteuid() != 0:
            self.skipTest("needs root")
        user = "SUDO_UID=%d SUDO_GID=%d" % (NOBODYS_UID, NOBODYS_UID)
        terminal = self.begin(environment=user)
        terminal.keys("w")
        terminal.wait_for("not written: Permission denied")
        self.assertEqual(self.files(), [])
        os.chmod(self.home, 0o711)
        os.chown(os.path.join(self.home, "work"), NOBODYS_UID, NOBODYS_UID)
        terminal.keys("w")
        terminal.wait_for("wrote tcptop-")
        for name in self.files():
            self.assertEqual(os.stat(os.path.join(self.home, "work", name)).st_uid, NOBODYS_UID)

    # ---- y ----

    def clip(self, terminal):
        return terminal.tmux("show-buffer")

    def test_the_terminal_gets_what_is_copied(self):
        terminal = self.begin()
        terminal.tmux("set", "-g", "set-clipboard", "on")
        row = terminal.cells()[5].split()
        terminal.keys("y")
        terminal.wait_for("copied")
        self.assertEqual(self.clip(terminal), row[3].rsplit(":", 1)[0])
        terminal.keys("Y")
        terminal.wait_for("copied the line")
        self.assertEqual(self.clip(terminal).split(), row)
        terminal.keys("Tab", "y")
        terminal.wait_for("Y copies its line")

    def test_odd_names_are_harmless_in_the_clipboard(self):
        terminal = self.begin(name=("odd",))
        terminal.tmux("set", "-g", "set-clipboard", "on")
        for _ in range(6):
            terminal.keys("Y")
            terminal.wait_for("copied the line")
            self.assertTrue(self.clip(terminal).isprintable())
            terminal.keys("Down")

    # ---- W ----

    def test_settings_are_kept_on_wish_and_the_command_line_wins(self):
        terminal = self.begin("--columns", "pid,name,rx,tx", "--sort", "name")
        terminal.keys("m", "W")
        terminal.wait_for("Keep columns, units and order")
        terminal.keys("n")
        terminal.wait_gone("Keep columns")
        self.assertFalse(os.path.exists(self.settings))
        terminal.keys("W", "y")
        terminal.wait_for("wrote " + self.settings)
        with open(self.settings, encoding="utf-8") as stream:
            self.assertIn("columns=pid,name,rx,tx\nsort=name:asc\nunits=", stream.read())
        terminal.keys("q")
        terminal.wait_for("READY$")
        for options, has, has_not in (
                ((), "by NAME", "REMOTE"),
                (("--sort", "tx"), "by TX", "REMOTE"),
                (("--columns", "raddr,tx"), "by NAME", "LOCAL"),
                (("--no-settings",), "REMOTE", "by NAME")):
            terminal.type("clear")
            terminal.keys("Enter")
            self.again(terminal, *options)
            cells = "\n".join(terminal.cells())
            self.assertIn(has, cells)
            self.assertNotIn(has_not, cells)
            terminal.keys("q")
            terminal.wait_for("READY$")

    def test_settings_that_cannot_be_used_are_said_and_ignored(self):
        """The screen comes at once, as it is without them."""
        for make, said in (
                ("mkfifo .config/tcptop/settings", "no regular file"),
                ("mkdir .config/tcptop/settings", "no regular file"),
                ("ln -s /dev/zero .config/tcptop/settings", "no regular file"),
                ("ln -s settings .config/tcptop/settings", "Too many levels"),
                ("head -c 100000 /dev/zero > .config/tcptop/settings", "File too large"),
                ("head -c 100 /dev/zero > .config/tcptop/settings", "no text"),
                ("head -c 4000 /dev/urandom | tr -d '\\0' > .config/tcptop/settings", "line"),
                ("yes columns=pid | head -c 4096 > .config/tcptop/settings; echo sort=pid", "line"),
                ("echo columns=pid,nothing > .config/tcptop/settings", "ignored line 1"),
                ("echo filter=x > .config/tcptop/settings", "ignored line 1")):
            with self.subTest(make):
                terminal = self.begin(before="cd ..; mkdir -p .config/tcptop; %s; cd work;" % make, width=120)
                first = "\n".join(terminal.cells())
                if make.startswith("yes"):
                    self.assertNotIn("REMOTE", first)
                    continue
                self.assertIn("REMOTE", first)
                self.assertIn(BAD, first)
                self.assertIn(said, first)

    def test_what_stands_there_is_not_written_through(self):
        terminal = self.begin(before="cd ..; mkdir -p .config/tcptop; echo > precious; "
                              "ln -s ../../precious .config/tcptop/settings; cd work;")
        terminal.keys("W", "y")
        terminal.wait_for("wrote ")
        with open(os.path.join(self.home, "precious"), encoding="utf-8") as stream:
            self.assertEqual(stream.read(), "\n")
        self.assertFalse(os.path.islink(self.settings))


if __name__ == "__main__":
    main()
