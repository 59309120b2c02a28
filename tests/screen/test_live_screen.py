#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The screen on this host's own traffic: what a recording cannot show. Needs root, tmux and a kernel to trace.

    test_live_screen.py TCPTOP [TEST ...]
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import FOOTER, live_program  # noqa: E402
from tmux import Terminal  # noqa: E402

TCPTOP = ""
ID = "5eed" * 16  # a container's

# A process that sends and receives on loopback until its standard input ends. It says its port first.
TALKER = """
import select, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server = listener.accept()[0]
print(client.getsockname()[1], flush=True)
while not select.select([sys.stdin], [], [], 0.05)[0]:
    client.send(b"x" * 1009)
    server.recv(4096)
"""


def hierarchies():
    """Mount points of the cgroup hierarchies: (v2 or None, [v1 ...]), as mountinfo has them."""
    version2, version1 = None, []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as stream:
        for line in stream:
            mounted, _, kind = line.partition(" - ")
            point = mounted.split()[4]
            if kind.startswith("cgroup2 "):
                version2 = version2 or point
            elif kind.startswith("cgroup "):
                version1.append((point, kind))
    return version2, version1


@contextlib.contextmanager
def cgroup(root, *names):
    """Directories below the hierarchy's root, one in the other; gone again afterwards but those that were there."""
    made, path = [], root
    try:
        for name in names:
            path = os.path.join(path, name)
            if not os.path.isdir(path):
                os.mkdir(path)
                made.append(path)
        yield path
    finally:
        for path in reversed(made):
            end = time.monotonic() + 5
            while os.path.isdir(path):
                try:
                    os.rmdir(path)
                except OSError:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.02)


class LiveScreenTest(unittest.TestCase):
    @contextlib.contextmanager
    def talker(self, group=None):
        """A talker in a cgroup; yields it and its client's port."""
        def enter():
            if group:
                with open(os.path.join(group, "cgroup.procs"), "w", encoding="ascii") as stream:
                    stream.write(str(os.getpid()))
        process = subprocess.Popen([sys.executable, "-c", TALKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   preexec_fn=enter)
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.stdin.close()
            process.stdout.close()
            self.assertEqual(process.wait(5), 0)

    def start(self, *options, width=120, height=24, prefix=()):
        terminal = Terminal(width, height)
        self.addCleanup(terminal.close)
        self.addCleanup(self.quit, terminal)
        terminal.run(*prefix, TCPTOP, *options, "0.2")
        terminal.wait_for("F1Help", 20)
        return terminal

    def quit(self, terminal):
        terminal.keys("C-c")
        terminal.wait_for("READY$")

    def row_of(self, terminal, port, test=lambda line: True):
        """The row with this local port, once it is there and passes."""
        pattern = re.compile(r"127\.0\.0\.1:%d +127\.0\.0\.1" % port)
        cells = terminal.wait_until(lambda now: any(pattern.search(line) and test(line) for line in now),
                                    "the row of port %d" % port)
        return next(line for line in cells if pattern.search(line) and test(line))

    def expect_container(self, group, name, path):
        with self.talker(group) as (process, port):
            terminal = self.start("-p", str(process.pid), "--columns", "pid,name,laddr,raddr,container")
            self.assertEqual(self.row_of(terminal, port).split()[-1], name)
            terminal.keys("/")
            terminal.type(":%d" % port)
            terminal.keys("Enter", "Enter")
            cells = terminal.wait_for("Container   %s" % name)
            self.assertTrue(any(line.startswith(" Cgroup      %s (" % path) for line in cells), "\n".join(cells))
            terminal.keys("q", "Tab", "Tab", "Tab")
            terminal.wait_for("1 container")
            self.assertTrue(any(line.startswith(name) for line in terminal.cells()))

    def test_a_connection_that_ends(self):
        """Closed on the screen, and so in a recording of the same moment; one that only pauses is idle."""
        listener = socket.create_server(("127.0.0.1", 0))
        clients = [socket.create_connection(listener.getsockname()) for _ in range(2)]
        servers = [listener.accept()[0] for _ in range(2)]
        ports = [client.getsockname()[1] for client in clients]
        ending, pausing = ports
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.json")
            with open(path, "wb") as stream:
                run = subprocess.Popen([TCPTOP, "-o", "json", "-p", str(os.getpid()), "0.2"], stdout=stream)
            try:
                terminal = self.start("-p", str(os.getpid()), "--columns", "laddr,raddr,last")
                for client, port in zip(clients, ports):
                    self.wait_recorded(path, port, "session", client)
                    client.send(b"x" * 1009)  # the screen may have begun later
                    self.row_of(terminal, port)
                for each in (clients[0], servers[0]):
                    each.close()
                self.wait_recorded(path, ending, "closed")
                terminal.keys("a")
                self.expect_ended(terminal, ending, pausing)
            finally:
                run.terminate()
                self.assertEqual(run.wait(10), 0)
                for each in [listener, *clients, *servers]:
                    each.close()
            replay = Terminal(120, 24)
            self.addCleanup(replay.close)
            replay.run(TCPTOP, "--replay", path, "--columns", "laddr,raddr,last")
            replay.wait_for("end of recording", 60)
            replay.keys("a")
            self.expect_ended(replay, ending, pausing)

    def wait_recorded(self, path, port, kind, sender=None):
        def is_recorded():
            with open(path, encoding="utf-8") as stream:
                return any('"type":"%s"' % kind in line.replace(" ", "") and str(port) in line for line in stream)
        end = time.monotonic() + 20
        while not is_recorded():
            if sender:
                sender.send(b"x" * 1009)
            self.assertLess(time.monotonic(), end, "%s of port %d is not recorded" % (kind, port))
            time.sleep(0.05)

    def expect_ended(self, terminal, ending, pausing):
        self.assertRegex(self.row_of(terminal, ending, lambda line: "closed" in line), r"closed \d\d:\d\d:\d\d$")
        self.assertRegex(self.row_of(terminal, pausing, lambda line: "now" not in line), r"  \d\d:\d\d:\d\d$")
        terminal.keys("/")
        terminal.type(":%d" % ending)
        terminal.keys("Enter", "Enter")
        terminal.wait_for("State       closed at ")
        terminal.keys("q")
        terminal.wait_for("F1Help")

    def test_a_container_of_the_v2_hierarchy(self):
        root, _ = hierarchies()
        if not root:
            self.skipTest("no cgroup v2 hierarchy is mounted")
        with cgroup(root, "tcptop-test.slice", "docker-%s.scope" % ID) as group:
            self.expect_container(group, "docker:" + ID[:12], "/tcptop-test.slice/docker-%s.scope" % ID)

    def test_a_service_of_the_v2_hierarchy(self):
        root, version1 = hierarchies()
        if not root:
            self.skipTest("no cgroup v2 hierarchy is mounted")
        with open("/proc/self/cgroup", encoding="utf-8", errors="surrogateescape") as stream:
            if version1 and re.search("[0-9a-f]{64}", stream.read()):
                self.skipTest("this process is in a container of a v1 hierarchy, which goes first")
        with cgroup(root, "tcptop-test.slice", "tcptop-test.service") as group:
            self.expect_container(group, "tcptop-test.service", "/tcptop-test.slice/tcptop-test.service")

    def test_a_container_of_a_v1_hierarchy(self):
        _, version1 = hierarchies()
        if not version1:
            self.skipTest("no cgroup v1 hierarchy is mounted")
        root = next((point for point, kind in version1 if "freezer" in kind), version1[-1][0])
        with cgroup(root, "kubepods", "tcptop-test-pod", ID) as group:
            self.expect_container(group, "container:" + ID[:12], "/kubepods/tcptop-test-pod/" + ID)

    # ---- the head ----

    def test_links(self):
        """The page of links: loopback moves, TCP's part of it is most, and the page goes as it came."""
        with self.talker() as (_, port):
            terminal = self.start()
            self.row_of(terminal, port)
            terminal.keys("l")
            terminal.wait_until(
                lambda cells: any(re.match(r" lo +[1-9.][0-9.]*[KMG]?B/s .* ([5-9][0-9]|100)% ", line + " ")
                                  for line in cells), "TCP's part of lo")
            self.assertIn("LINK", terminal.cells()[1])
            terminal.keys("l")
            terminal.wait_for("PID")

    def test_without_what_the_summary_line_says(self):
        clock, load = re.compile(r"  \d\d:\d\d:\d\d  "), re.compile(r"  load \d")
        for options, shown in ((), True), (("-S",), False):
            head = self.start(*options).wait_until(lambda cells: "every" in cells[0] and "starting" not in cells[0],
                                                   "an interval")[0]
            self.assertEqual((bool(clock.search(head)), bool(load.search(head))), (shown, shown), head)

    # ---- what /proc tells of a process ----

    def open_details(self, terminal, port):
        self.row_of(terminal, port)
        terminal.keys("/")
        terminal.type(":%d" % port)
        terminal.keys("Enter", "Enter")
        terminal.wait_for("Namespaces  network")

    def command_line(self, terminal, text):
        """Waits until the details' line of the command begins so."""
        return terminal.wait_until(lambda cells: any(line.startswith(" Command     " + text) for line in cells),
                                   "the command %r" % text)

    def take_pid(self, *command):
        """Starts the command under the PID that the first word's process had until now; it ends with its input."""
        wanted, *rest = command
        for _ in range(200):
            with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as stream:
                stream.write(str(wanted - 1))
            process = subprocess.Popen(rest, stdin=subprocess.PIPE)
            if process.pid == wanted:
                return process
            process.stdin.close()
            process.wait(5)
        self.skipTest("PID %d could not be had again" % wanted)

    def test_the_command_line(self):
        with self.talker() as (process, port):
            terminal = self.start("-p", str(process.pid))
            self.open_details(terminal, port)
            self.command_line(terminal, sys.executable + " -c ")

    def test_the_command_line_as_a_column(self):
        with self.talker() as (process, port):
            terminal = self.start("-p", str(process.pid), "--columns", "pid,command,laddr,raddr", width=160)
            self.row_of(terminal, port, lambda line: "%d %s -c " % (process.pid, sys.executable) in line)

    def test_no_process_is_not_an_idle_process(self):
        idle = subprocess.Popen(["sleep", "100"])
        self.addCleanup(lambda: (idle.kill(), idle.wait()))
        ended = subprocess.Popen(["true"])
        ended.wait()
        for width in 120, 80, 40:
            terminal = self.start("-p", str(idle.pid), width=width, height=24)
            terminal.wait_for(" Waiting for traffic of PID %d." % idle.pid)
            self.assertFalse(any("No process has" in line for line in terminal.cells()))
            self.quit(terminal)
            terminal = self.start("-p", str(ended.pid), width=width, height=24)
            terminal.wait_for(" No process has PID %d." % ended.pid)
            self.assertFalse(any("Waiting" in line for line in terminal.cells()))
            self.quit(terminal)
        terminal = self.start("-p", "%d,%d" % (ended.pid, idle.pid))
        terminal.wait_for(" No process has PID %d. Waiting for traffic of PID %d." % (ended.pid, idle.pid))
        # It may end while it is waited for.
        idle.kill()
        idle.wait()
        terminal.wait_until(lambda cells: not any("Waiting" in line for line in cells), "both have ended")

    def test_in_a_pid_namespace_another_process_has_the_pid(self):
        with self.talker() as (process, port), tempfile.NamedTemporaryFile() as other:
            script = 'echo $(($1 - 1)) > /proc/sys/kernel/ns_last_pid; sleep 1000 & ' \
                     'until grep -q sleep /proc/$!/cmdline; do sleep 0.02; done; ' \
                     'echo $! > "$2"; cat /proc/$1/cmdline >> "$2"; shift 2; exec "$@"'
            inside = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c", script, "sh",
                      str(process.pid), other.name)
            terminal = self.start("-p", str(process.pid), prefix=inside)
            self.open_details(terminal, port)
            cells = self.command_line(terminal, "not known: /proc shows another PID namespace")
            self.assertFalse(any("sleep" in line for line in cells), "\n".join(cells))
            # In there it was another one's.
            self.assertEqual(other.read(), b"%d\nsleep\0" b"1000\0" % process.pid)

    def test_in_a_pid_namespace_with_the_hosts_proc(self):
        with self.talker() as (process, port):
            terminal = self.start("-p", str(process.pid), prefix=("unshare", "--pid", "--fork", "--kill-child"))
            self.open_details(terminal, port)
            self.command_line(terminal, sys.executable + " -c ")

    def test_a_pid_that_was_taken_again(self):
        with self.talker() as (process, port):
            terminal = self.start("-p", str(process.pid))
            self.open_details(terminal, port)
            self.command_line(terminal, sys.executable + " -c ")
            time.sleep(1)  # begins in another second than the row
        self.command_line(terminal, "not known: /proc does not show the process")
        other = self.take_pid(process.pid, "cat")
        try:
            self.command_line(terminal, "not known: the PID may be another process's by now")
        finally:
            other.stdin.close()
            other.wait(5)

    # ---- RTT and retransmits ----

    def test_rtt_and_retransmits(self):
        with self.talker() as (process, port):
            for width, height in (80, 24), (200, 60):
                terminal = self.start("-p", str(process.pid), "--columns", "name,laddr,raddr,rtt,retrans",
                                      width=width, height=height)
                row = self.row_of(terminal, port, lambda line: "ms" in line)
                self.assertRegex(row, r" \d+\.?\d*ms +0$")
                terminal.keys("/")
                terminal.type(":%d" % port)
                terminal.keys("Enter", "Enter")
                terminal.wait_until(lambda cells: any(re.match(
                    r" RTT         \d+\.\d{3} ms   shortest \d+\.\d{3} ms(   as receiver \d+\.\d{3} ms)?$",
                    line.rstrip()) for line in cells), "the round-trip time")
                if height == 60:
                    self.assertRegex("\n".join(terminal.cells()),
                                     r"(?m)^ Sent again  0 segments in all   0B of \S+ this interval$")
                terminal.keys("Escape")

    def test_what_was_not_asked_for_is_told_once_it_is(self):
        with self.talker() as (process, port):
            terminal = self.start("-p", str(process.pid), width=200, height=60)
            self.row_of(terminal, port)
            terminal.keys("F2", "End", "Space", "Escape")
            terminal.wait_for("RETR SUM")
            self.row_of(terminal, port, lambda line: re.search(r" 0$", line))
            terminal.keys("Enter")
            terminal.wait_for("ESTABLISHED   unread ")

    def test_a_lost_segment_is_sent_again(self):
        if not shutil.which("ip"):
            self.skipTest("iproute2 is not installed")
        far = "tcptop_test_%d" % os.getpid()
        near_link, far_link = "tt%dn" % os.getpid(), "tt%df" % os.getpid()

        def ip(*arguments, namespace=None):
            subprocess.run(["ip", *(["-n", namespace] if namespace else []), *arguments], check=True)

        ip("netns", "add", far)
        self.addCleanup(ip, "netns", "delete", far)
        ip("link", "add", near_link, "type", "veth", "peer", "name", far_link, "netns", far)
        ip("address", "add", "198.18.77.1/30", "dev", near_link)
        ip("link", "set", near_link, "up")
        ip("address", "add", "198.18.77.2/30", "dev", far_link, namespace=far)
        ip("link", "set", far_link, "up", namespace=far)
        server = subprocess.Popen(["ip", "netns", "exec", far, sys.executable, "-c",
                                   "import socket\nl = socket.create_server(('198.18.77.2', 7777))\n"
                                   "print('ready', flush=True)\ns = l.accept()[0]\nwhile s.recv(65536): pass\n"],
                                  stdout=subprocess.PIPE)
        self.addCleanup(lambda: (server.kill(), server.wait(), server.stdout.close()))
        server.stdout.readline()
        terminal = self.start("-p", str(os.getpid()), "--columns", "name,raddr,tx,rtt,retrans")
        with socket.create_connection(("198.18.77.2", 7777)) as client:
            client.send(b"x" * 1000)
            terminal.wait_until(lambda cells: any(re.search(r"198\.18\.77\.2:7777.*ms +0$", line) for line in cells),
                                "a row without retransmits")
            # The far end hears nothing for a while: what is sent is sent again and again.
            ip("address", "delete", "198.18.77.2/30", "dev", far_link, namespace=far)
            for _ in range(8):
                client.send(b"x" * 1000)
                time.sleep(0.2)
            ip("address", "add", "198.18.77.2/30", "dev", far_link, namespace=far)
            end = time.monotonic() + 10
            while time.monotonic() < end:
                client.send(b"x" * 100)
                if any(re.search(r"198\.18\.77\.2:7777.*ms +[1-9]\d*$", line) for line in terminal.cells()):
                    return
                time.sleep(0.1)
        self.fail("no retransmits on the screen:\n" + "\n".join(terminal.cells()))


def main():
    global TCPTOP
    TCPTOP = live_program()
    unittest.main(verbosity=2)


main()
