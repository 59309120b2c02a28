#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Connections that end are said to be closed, once, for each side; those that go on, or begin anew, are not."""
import os
import socket
import struct
import sys
import time

from live import Skipped, Tcptop, case, check, check_equal, intervals, main, seconds, sessions, wait_for

ADDRESSES = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}
IPPROTO_MPTCP = 262
INTERVAL = "0.2"


class Pair:
    """Two sockets of this process that are connected; each sends the other something."""

    def __init__(self, family=socket.AF_INET, protocol=0, ports=(0, 0), address=None):
        address = address or ADDRESSES[family]
        self.listener = socket.socket(family, socket.SOCK_STREAM, protocol)
        self.client = socket.socket(family, socket.SOCK_STREAM, protocol)
        for each, port in ((self.client, ports[0]), (self.listener, ports[1])):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((address, port))
        self.listener.listen()
        self.client.connect(self.listener.getsockname()[:2])
        self.server, _ = self.listener.accept()
        self.ports = (self.client.getsockname()[1], self.listener.getsockname()[1])
        self.move()

    def move(self):
        for source, target in ((self.client, self.server), (self.server, self.client)):
            source.sendall(b"x" * 7)
            check_equal(target.recv(7), b"x" * 7, "moved")

    def reset(self):
        """No TIME_WAIT stays behind: the same ports can be had at once."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        for each in (self.client, self.server, self.listener):
            each.close()


def closed(tcptop, ports=None):
    """The ends told so far, of this connection."""
    return [
        x
        for x in tcptop.lines()
        if x["type"] == "closed" and (not ports or sorted((x["lport"], x["rport"])) == sorted(ports))
    ]


def wait_seen(tcptop, ports):
    wait_for(
        lambda: any({x["lport"], x["rport"]} == set(ports) for x in sessions(tcptop.lines())), 10, "seen"
    )


def expect_ends(tcptop, ports, count, what):
    wait_for(lambda: len(closed(tcptop, ports)) >= count, 10, f"{what}: {count} ends")
    time.sleep(seconds(0.5))
    check_equal(len(closed(tcptop, ports)), count, f"{what}: ends")


@case
def both_sides_end():
    """By FIN and by a reset, of both families and IPv4 in IPv6, idle by then or not."""
    tcptop = Tcptop("-o", "json", INTERVAL)
    for family, address in ((socket.AF_INET, None), (socket.AF_INET6, None), (socket.AF_INET6, "::ffff:127.0.0.1")):
        for end in (Pair.close, Pair.reset):
            pair = Pair(family, address=address)
            wait_seen(tcptop, pair.ports)
            check_equal(closed(tcptop, pair.ports), [], "ends of what is open")
            if end is Pair.reset:
                pair.move()
            end(pair)
            expect_ends(tcptop, pair.ports, 2, f"{address or family} {end.__name__}")
    lines = tcptop.stop()
    own = {(x["laddr"], x["lport"], x["raddr"], x["rport"], x["netns"]) for x in sessions(lines)}
    for end in (x for x in lines if x["type"] == "closed"):
        check((end["laddr"], end["lport"], end["raddr"], end["rport"], end["netns"]) in own, f"nobody's: {end}")
        check(0 <= end["ago_us"] <= end["interval_s"] * 1e6 + 1e5, f"outside of the interval: {end}")


@case
def ports_used_again():
    """Within an interval: what began anew is open, until that ends, too."""
    tcptop = Tcptop("-o", "json", "3")
    first = Pair()
    first.reset()
    second = Pair(ports=first.ports)
    wait_seen(tcptop, first.ports)
    time.sleep(seconds(0.2))
    if len(intervals(tcptop.lines())) > 1:
        raise Skipped("an interval ended in between")
    check_equal(closed(tcptop, first.ports), [], "ends of what began anew")
    second.close()
    expect_ends(tcptop, first.ports, 2, "the second one")
    tcptop.stop()


@case
def read_after_the_end():
    tcptop = Tcptop("-o", "json", INTERVAL)
    pair = Pair()
    pair.server.sendall(b"y" * 100)
    pair.server.close()
    pair.client.shutdown(socket.SHUT_WR)
    expect_ends(tcptop, pair.ports, 2, "with a reader")
    check_equal(len(pair.client.recv(1000)), 100, "read late")
    pair.client.close()

    def late():
        return [x for x in sessions(tcptop.lines()) if x["lport"] == pair.ports[0] and x.get("is_closed")]

    wait_for(late, 10, "bytes of the closed connection")
    check_equal([x["rx_bytes"] for x in late()], [100], "bytes after the end")
    tcptop.stop()


@case
def several_processes():
    """One connection of a server that forks: it ends when the last one has closed it."""
    tcptop = Tcptop("-o", "json", INTERVAL)
    pair = Pair()
    pair.client.sendall(b"z" * 20)
    release, hold = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hold)
        pair.client.close()
        pair.server.recv(10)
        os.read(release, 1)
        os._exit(0)
    wait_for(lambda: child in {x["pid"] for x in sessions(tcptop.lines())}, 10, "the child's bytes")
    pair.server.recv(10)
    pair.server.close()
    time.sleep(seconds(0.5))
    check_equal(closed(tcptop, pair.ports), [], "ends while the child has it")
    os.close(hold)
    os.waitpid(child, 0)
    pair.client.close()
    expect_ends(tcptop, pair.ports, 2, "of two processes")
    tcptop.stop()


@case
def multipath():
    """The subflow's end is not the connection's, which is told once for each side."""
    try:
        with open("/proc/sys/net/mptcp/enabled", encoding="ascii") as stream:
            enabled = stream.read().strip() == "1"
    except FileNotFoundError:
        enabled = False
    if not enabled:
        raise Skipped("no MPTCP")
    tcptop = Tcptop("-o", "json", INTERVAL)
    pair = Pair(protocol=IPPROTO_MPTCP)
    wait_seen(tcptop, pair.ports)
    pair.close()
    expect_ends(tcptop, pair.ports, 2, "MPTCP")
    tcptop.stop()


@case
def others_are_left_out():
    """Ends of connections that a filter let nothing pass of, or that moved nothing."""
    tcptop = Tcptop("-o", "json", "-4", "-p", os.getpid(), INTERVAL)
    pair, six = Pair(), Pair(socket.AF_INET6)
    silent = socket.create_connection(pair.listener.getsockname())
    silent_ports = (silent.getsockname()[1], pair.ports[1])
    silent.close()
    wait_seen(tcptop, pair.ports)
    six.close()
    pair.close()
    expect_ends(tcptop, pair.ports, 2, "of this process")
    check_equal(closed(tcptop, six.ports) + closed(tcptop, silent_ports), [], "ends of others")
    tcptop.stop()


@case
def more_than_there_is_room_for():
    tcptop = Tcptop("-o", "json", "-4", "--max-sessions", 4, "2")
    for _ in range(20):
        Pair().close()
    lines = tcptop.stop()
    told = sum(x.get("ends_lost", 0) for x in intervals(lines))
    check(told >= 20, f"{told} ends are said to be lost, of 40 with room for 4 in each interval")


if __name__ == "__main__":
    sys.exit(main())
