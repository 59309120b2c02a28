#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which side of a connection listened is told of each, also of one that is older than tcptop."""
import contextlib
import socket
import subprocess
import sys

from live import CLONE_NEWNET, Process, Skipped, Tcptop, call, case, check_equal, libc, main, program, sessions, wait_for

IPPROTO_MPTCP = 262
TCPI_OPT_SYN_DATA = 32
INTERVAL = "0.2"


class Pair:
    """One that connects and one that is accepted, both of this process."""

    def __init__(self, family, address, backlog=5, protocol=0, to=None):
        self.listener = socket.socket(family, socket.SOCK_STREAM, protocol)
        self.listener.bind((address, 0))
        self.listener.listen(backlog)
        port = self.listener.getsockname()[1]
        self.client = socket.socket(socket.AF_INET if to else family, socket.SOCK_STREAM, protocol)
        self.client.connect((to or address, port))
        self.server, _ = self.listener.accept()
        self.ports = (self.client.getsockname()[1], port)

    def move(self):
        for source, target in ((self.client, self.server), (self.server, self.client)):
            source.sendall(b"x" * 7)
            check_equal(target.recv(7), b"x" * 7, "moved")

    def close(self):
        for each in (self.client, self.server, self.listener):
            each.close()


def told(tcptop, ports):
    """What was said of the connecting and of the accepted side so far: sets."""
    of = {ports: set(), ports[::-1]: set()}
    for one in sessions(tcptop.lines()):
        of.get((one["lport"], one["rport"]), set()).add(one.get("accepted"))
    return of[ports], of[ports[::-1]]


def expect_told(tcptop, ports, what):
    wait_for(lambda: all(told(tcptop, ports)), 10, f"{what}: seen")
    check_equal(told(tcptop, ports), ({0}, {1}), f"{what}: accepted")


def expect_all(pairs):
    """Older than tcptop, and again where the entry is made anew in a later interval."""
    with contextlib.ExitStack() as stack:
        for pair in pairs.values():
            stack.callback(pair.close)
        tcptop = Tcptop("-o", "json", INTERVAL)
        for _ in range(2):
            for what, pair in pairs.items():
                pair.move()
                expect_told(tcptop, pair.ports, what)
        tcptop.stop()


@case
def both_sides():
    """Whatever the backlog was: it is not what tells them apart."""
    expect_all(
        {
            "IPv4": Pair(socket.AF_INET, "127.0.0.1"),
            "IPv4, backlog 0": Pair(socket.AF_INET, "127.0.0.1", 0),
            "IPv6": Pair(socket.AF_INET6, "::1"),
            "IPv6, backlog 0": Pair(socket.AF_INET6, "::1", 0),
            "IPv4 in IPv6": Pair(socket.AF_INET6, "::", to="127.0.0.1"),
        }
    )


@case
def begun_while_traced():
    tcptop = Tcptop("-o", "json", INTERVAL)
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        pair = Pair(family, address)
        pair.move()
        expect_told(tcptop, pair.ports, address)
        pair.close()
    tcptop.stop()


@case
def mptcp():
    try:
        pairs = {
            "MPTCP": Pair(socket.AF_INET, "127.0.0.1", protocol=IPPROTO_MPTCP),
            "MPTCP over IPv6": Pair(socket.AF_INET6, "::1", protocol=IPPROTO_MPTCP),
        }
    except OSError as error:
        raise Skipped(f"no MPTCP: {error}") from None
    expect_all(pairs)


@contextlib.contextmanager
def network_with_fast_open():
    """A network namespace of its own for the sockets made within: both sides have Fast Open there."""
    with open("/proc/self/ns/net", "rb") as before:
        call(libc.unshare, CLONE_NEWNET)
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            with open("/proc/sys/net/ipv4/tcp_fastopen", "w", encoding="ascii") as file:
                file.write("3")
            yield
        finally:
            call(libc.setns, before.fileno(), CLONE_NEWNET)


def came_with_syn(accepted):
    return accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)[5] & TCPI_OPT_SYN_DATA


@case
def fast_open():
    """The second SYN carries data: the socket that is accepted is made before the handshake is over."""
    tcptop = Tcptop("-o", "json", INTERVAL)
    with network_with_fast_open(), socket.socket() as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 5)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        for turn in range(2):
            with socket.socket() as client:
                client.sendto(b"y" * 9, socket.MSG_FASTOPEN, listener.getsockname())
                server, _ = listener.accept()
                with server:
                    check_equal(server.recv(9), b"y" * 9, "moved")
                    server.sendall(b"z")
                    client.recv(1)
                    check_equal(bool(came_with_syn(server)), turn == 1, "data came with the SYN")
                    expect_told(tcptop, (client.getsockname()[1], listener.getsockname()[1]), "Fast Open")
    tcptop.stop()


@case
def read_after_the_end():
    """The socket of a connection that has ended tells it still."""
    pair = Pair(socket.AF_INET, "127.0.0.1")
    tcptop = Tcptop("-o", "json", INTERVAL)
    pair.client.sendall(b"w" * 5)
    pair.client.close()
    pair.server.shutdown(socket.SHUT_WR)
    wait_for(lambda: any(x["type"] == "closed" for x in tcptop.lines()), 10, "the end")
    pair.server.recv(5)
    expect_told(tcptop, pair.ports, "read late")
    pair.close()
    tcptop.stop()


@case
def text_can_be_filtered():
    """The connections of one listener, though the text itself does not show who listened."""
    pair = Pair(socket.AF_INET, "127.0.0.1")
    tcptop = Tcptop("-o", "text", "--nosummary", "--filter", f"listen:{pair.ports[1]}", INTERVAL)
    pair.move()
    wait_for(lambda: f":{pair.ports[1]} " in tcptop.stdout.decode(), 10, "the accepted side")
    text = tcptop.stop_text()
    pair.close()
    ends = [line.split()[-4:-2] for line in text.splitlines() if f":{pair.ports[1]}" in line]
    check_equal(ends, [[f"127.0.0.1:{pair.ports[1]}", f"127.0.0.1:{pair.ports[0]}"]], "rows")


@case
def text_does_not_ask():
    """Only outputs that show it have the program read it."""
    for output, reads in (("text", False), ("json", True)):
        text = Process([program("TCPTOP"), "--ebpf", "-o", output]).expect(0).stdout
        check_equal(b"is_accepted" in text, reads, f"{output}: is_accepted")


if __name__ == "__main__":
    sys.exit(main())
