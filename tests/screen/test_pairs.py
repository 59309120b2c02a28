#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends of connections within this host, as they are joined on the screen.

    test_pairs.py TCPTOP [TEST ...]
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import live_program  # noqa: E402
from tmux import Terminal  # noqa: E402

TCPTOP = ""
PAIRS = 6
CONNECTIONS = 1000  # of each pair

# Either end says its PID and moves a byte over each connection, twice a second, until its standard input ends.
END = """
import os, select, socket, sys
role, host, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
if role == "server":
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, 0), family=family, backlog=4096)
    print(os.getpid(), listener.getsockname()[1], flush=True)
    ends = [listener.accept()[0] for _ in range(count)]
else:
    ends = [socket.create_connection((host, int(sys.argv[4]))) for _ in range(count)]
    print(os.getpid(), flush=True)
while not select.select([sys.stdin], [], [], 0.5)[0]:
    for end in ends:
        end.send(b"x")
    for end in ends:
        try:
            end.recv(100, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
"""

# A server that never reads, and a client that writes until nothing goes any more.
STUCK = """
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
if os.fork():
    client = socket.create_connection(listener.getsockname())
    print(os.getpid(), client.getsockname()[1], flush=True)
    while True:
        client.send(b"x" * 65536)
server = listener.accept()[0]
sys.stdin.read()
"""


class PairsTest(unittest.TestCase):
    def process(self, *command):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

        def end():
            process.stdin.close()
            process.stdout.close()
            process.kill()
            process.wait(10)

        self.addCleanup(end)
        return process

    def end(self, *arguments, prefix=()):
        process = self.process(*prefix, sys.executable, "-c", END, *map(str, arguments))
        return process, [int(word) for word in process.stdout.readline().split()]

    def pair(self, host, count, server_in=(), client_in=()):
        """The PIDs of a client and a server."""
        server, (server_pid, port) = self.end("server", host, count, prefix=server_in)
        client, (client_pid,) = self.end("client", host, count, port, prefix=client_in)
        return client_pid, server_pid

    def start(self, *options, width=120, height=40):
        terminal = Terminal(width, height)
        self.addCleanup(terminal.close)
        self.addCleanup(lambda: (terminal.keys("C-c"), terminal.wait_for("READY$")))
        terminal.run(TCPTOP, *options)
        terminal.wait_for("F1Help", 20)
        return terminal

    def groups(self, terminal, pids):
        """{(PID, PID of the other end or its host): connections} of these processes."""
        found = {}
        for line in terminal.cells():
            match = re.match(r"\S+ \((\d+)\) +(?:\S+ \((\d+)\)|(\S+)) .* (\d+)$", line.rstrip())
            if match and int(match[1]) in pids:
                found[int(match[1]), int(match[2]) if match[2] else match[3]] = int(match[4])
        return found

    def expect(self, terminal, pairs, count):
        expected = {}
        for client, server in pairs:
            expected[client, server] = expected[server, client] = count
        pids = {pid for pair in pairs for pid in pair}
        terminal.wait_until(lambda _: self.groups(terminal, pids) == expected, "the pairs %s" % expected, 30)

    def test_thousands_of_connections(self):
        """6,000 connections of six pairs of processes: 6,000 are joined, none wrongly, none left over."""
        pairs = [self.pair("::1" if i % 2 else "127.0.0.1", CONNECTIONS) for i in range(PAIRS)]
        terminal = self.start("5", width=160)
        terminal.keys("BTab")
        terminal.wait_for("pairs")
        self.expect(terminal, pairs, CONNECTIONS)
        # One of them opened: the header names both, and each connection of it has the same other end.
        terminal.keys("Right")
        cells = terminal.wait_for(" with python")
        match = re.search(r"of \S+ \((\d+)\)  with \S+ \((\d+)\)", "\n".join(cells))
        self.assertIn(tuple(sorted((int(match[1]), int(match[2])))), [tuple(sorted(pair)) for pair in pairs])

    def test_across_network_namespaces(self):
        if not shutil.which("ip"):
            self.skipTest("iproute2 is not installed")
        names = ["tcptop_pair_%d_%s" % (os.getpid(), side) for side in "ab"]
        links = ["tp%d%s" % (os.getpid() % 10**8, side) for side in "ab"]

        def ip(*arguments):
            subprocess.run(["ip", *arguments], check=True)

        for name in names:
            ip("netns", "add", name)
            self.addCleanup(ip, "netns", "delete", name)
        ip("-n", names[0], "link", "add", links[0], "type", "veth", "peer", "name", links[1], "netns", names[1])
        for side, (name, link) in enumerate(zip(names, links)):
            ip("-n", name, "address", "add", "198.18.79.%d/30" % (side + 1), "dev", link)
            ip("-n", name, "link", "set", link, "up")
        inside = [("ip", "netns", "exec", name) for name in names]
        pairs = [self.pair("198.18.79.2", 7, inside[1], inside[0])]
        terminal = self.start("1")
        terminal.keys("BTab")
        self.expect(terminal, pairs, 7)
        terminal.keys("/")
        terminal.type("(%d)" % pairs[0][0])
        terminal.keys("Enter", "Right", "Enter")
        cells = "\n".join(terminal.wait_for("on this host in another network namespace"))
        process = int(re.search(r" Process +\S+, PID (\d+)", cells)[1])
        other = int(re.search(r" Other end +\S+, PID (\d+)", cells)[1])
        self.assertIn((process, other), [pairs[0], pairs[0][::-1]])

    def test_the_other_end_proves_why(self):
        process = self.process(sys.executable, "-c", STUCK)
        pid, port = map(int, process.stdout.readline().split())
        for width, height in ((80, 24), (120, 40)):
            terminal = self.start("1", width=width, height=height)
            terminal.keys("s", "\\")
            terminal.type("port:%d" % port)
            terminal.keys("Enter")
            terminal.wait_for("2 of ")
            terminal.wait_for("reader")
            terminal.keys("/")
            terminal.type("127.0.0.1:%d " % port)
            terminal.keys("Enter", "Home", "Enter")
            cells = "\n".join(terminal.wait_for("Other end   python"))
            proof = ("it does not read what has arrived (reader" if re.search(r"Process +python\S*, PID %d$" % pid, cells, re.M)
                     else "it waits for this side to read (peer")
            terminal.wait_for(proof)


def main():
    global TCPTOP
    TCPTOP = live_program()
    resource.setrlimit(resource.RLIMIT_NOFILE, (8192, max(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    unittest.main(verbosity=2)


main()
