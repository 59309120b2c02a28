#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names of hosts on the screen, by a name server that answers, never does, or whose asking process is stopped or killed. In namespaces of its own.
Needs root, tmux and a kernel to trace.

    test_names.py TCPTOP [TEST ...]
"""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "live"))
from live import CLONE_NEWNET, call, children, libc, mount, unshare_mounts  # noqa: E402
from screen import is_running, live_program, process_of  # noqa: E402
from tmux import Terminal  # noqa: E402

TCPTOP = ""
PEERS = [f"198.18.7.{number}" for number in range(1, 9)]


class NameServer:
    """PTR records of the peers on port 53 of loopback, where `answers`."""

    def __init__(self, address="127.0.0.1"):
        self.answers, self.asked = True, 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(512)
            self.asked += 1
            if not self.answers:
                continue
            end = query.index(b"\0", 12) + 5
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += 1 + query[at]
            name = b"".join(bytes([len(x)]) + x for x in (b"peer" + labels[0].encode(), b"test")) + b"\0"
            answer = b"\xc0\x0c" + struct.pack(">HHIH", 12, 1, 60, len(name)) + name
            self.socket.sendto(query[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + query[12:end] + answer, client)


class NamesTest(unittest.TestCase):
    def setUp(self):
        SERVER.answers = True

    @contextlib.contextmanager
    def traffic(self, peers):
        """A connection to each of these addresses of this host, over which bytes move."""
        ends, stop = [], threading.Event()
        for peer in peers:
            listener = socket.create_server((peer, 7000))
            client = socket.create_connection((peer, 7000))
            ends += [listener, client, listener.accept()[0]]

        def move():
            while not stop.wait(0.05):
                for client, server in zip(ends[1::3], ends[2::3]):
                    client.send(b"x" * 100)
                    server.recv(200)

        thread = threading.Thread(target=move)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
            for end in ends:
                end.close()

    def start(self):
        """The screen with names of hosts, and the process that asks for them."""
        terminal = Terminal(140, 30)
        self.addCleanup(terminal.close)
        terminal.run(TCPTOP, "0.2")
        terminal.wait_for("F1Help", 20)
        self.tcptop = process_of(terminal)
        terminal.keys("n", "n")
        found = []
        for child in children(self.tcptop):
            with open(f"/proc/{child}/comm", encoding="ascii") as stream:
                found += [child] if stream.read() == "tcptop-names\n" else []
        self.assertEqual(len(found), 1)
        return terminal, found[0]

    def quit(self, terminal, asker):
        begin = time.monotonic()
        terminal.keys("q")
        terminal.wait_for("READY$")
        self.assertLess(time.monotonic() - begin, 3)
        end = time.monotonic() + 2
        while is_running(asker) and time.monotonic() < end:
            time.sleep(0.01)
        self.assertFalse(is_running(asker))

    def test_a_server_that_answers(self):
        with self.traffic(PEERS[:2]):
            terminal, asker = self.start()
            terminal.wait_for("peer1.test")
            terminal.wait_for("peer2.test")
            self.quit(terminal, asker)

    def test_a_server_that_never_answers(self):
        SERVER.answers = False
        before = SERVER.asked
        with self.traffic(PEERS[:6]):
            terminal, asker = self.start()
            terminal.wait_for("198.18.7.6:")
            terminal.wait_until(lambda _: SERVER.asked > before, "a question")
            terminal.keys("Space")  # it is no slower
            terminal.wait_for("FROZEN", 2)
            terminal.keys("Space")
            self.assertNotIn("peer", "\n".join(terminal.cells()))
            self.quit(terminal, asker)

    def test_the_process_is_stopped(self):
        with self.traffic(PEERS[:1]):
            terminal, asker = self.start()
            terminal.wait_for("peer1.test")
            os.kill(asker, signal.SIGSTOP)
            with self.traffic(PEERS[3:4]):
                terminal.wait_for("198.18.7.4:")
                terminal.wait_for("peer1.test", 2)
                os.kill(asker, signal.SIGCONT)
                terminal.wait_for("peer4.test")
                os.kill(asker, signal.SIGSTOP)
                self.quit(terminal, asker)

    def test_the_process_is_killed(self):
        """What has a name keeps it; that others get none is told."""
        with self.traffic(PEERS[:1]):
            terminal, asker = self.start()
            terminal.wait_for("peer1.test")
            os.kill(asker, signal.SIGKILL)
            with self.traffic(PEERS[3:4]):
                terminal.wait_for("the process that asks for names has ended")
                cells = terminal.wait_for("198.18.7.4:")
                self.assertIn("peer1.test", "\n".join(cells))
                self.quit(terminal, asker)


def prepare(folder):
    """A network and files of name services of our own."""
    unshare_mounts()
    call(libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for peer in PEERS:
        subprocess.run(["ip", "address", "add", f"{peer}/32", "dev", "lo"], check=True)
    for name, text in (
        ("resolv.conf", "nameserver 127.0.0.1\n"), ("nsswitch.conf", "passwd: files\nhosts: files dns\n"), ("hosts", "127.0.0.1 localhost\n"),
    ):
        with open(f"{folder}/{name}", "w", encoding="ascii") as stream:
            stream.write(text)
        mount(f"{folder}/{name}", os.path.realpath(f"/etc/{name}"), None, 0x1000)


if __name__ == "__main__":
    TCPTOP = live_program()
    with tempfile.TemporaryDirectory(prefix="tcptop_names_") as directory:
        os.chmod(directory, 0o755)
        prepare(directory)
        SERVER = NameServer()
        unittest.main(verbosity=2)
