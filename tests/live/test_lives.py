#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How connections began, what they did and how they ended: --connections, in a network namespace of the test's own."""
import contextlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import bpf
from live import (
    CLONE_NEWNET, PR_SET_PDEATHSIG, Skipped, Tcptop, bpffs, call, case, cgroup, check, check_equal, check_error, enter_cgroup, intervals, libc, main,
    replay, seconds, sessions, unshare_mounts, wait_for,
)

INTERVAL = "0.2"
CONNECTIONS = 10000
TCP_SYNCNT = 7
EXIT_UNSUPPORTED = 4


def isolate():
    call(libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with contextlib.suppress(OSError):  # since 6.5: more SYNs are sent a second apart before the waits double
        write("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", "0")


def write(path, text):
    with open(path, "w", encoding="ascii") as stream:
        stream.write(text)


def tracing(*arguments, interval=INTERVAL):
    """Connections are noted once the first line is here."""
    tcptop = Tcptop("-o", "json", "--connections", *arguments, interval, wait=False)

    def begun():
        if tcptop.popen.poll() == EXIT_UNSUPPORTED:
            raise Skipped(tcptop.stderr.strip())
        check(tcptop.popen.poll() is None, tcptop.stderr)
        return tcptop.lines()

    wait_for(begun, 20, "the first line")
    return tcptop


def listener(family=socket.AF_INET, backlog=128):
    server = socket.socket(family)
    server.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
    server.listen(backlog)
    return server


def pair(server):
    client = socket.socket(server.family)
    client.connect(server.getsockname())
    return client, server.accept()[0]


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def lives(tcptop, port):
    """Of the connections of a port, told by now, in their order."""
    return [x for x in tcptop.lines() if x["type"] == "connection" and port in (x["lport"], x["rport"])]


def expect_lives(tcptop, port, count):
    """Those of who connected, and of who was connected to."""
    wait_for(lambda: len(lives(tcptop, port)) >= count, 20, f"{count} connections of port {port}")
    found = lives(tcptop, port)
    check_equal(len(found), count, f"connections of port {port}")
    return [x for x in found if not x["accepted"]], [x for x in found if x["accepted"]]


def opens():
    """TcpActiveOpens and TcpPassiveOpens of this namespace, which nstat reads there, too."""
    with open("/proc/self/net/snmp", encoding="ascii") as stream:
        names, values = (line.split()[1:] for line in stream if line.startswith("Tcp:"))
    counters = dict(zip(names, map(int, values)))
    return counters["ActiveOpens"], counters["PassiveOpens"]


@case
def ten_thousand_of_ten_thousand():
    server = listener()
    tcptop = tracing(interval="0.5")
    before = opens()
    for number in range(CONNECTIONS):
        client, peer = pair(server)
        client.send(b"x" * (number % 7))
        for each in (client, peer) if number % 2 else (peer, client):
            each.close()
    active, passive = (after - earlier for after, earlier in zip(opens(), before))
    check_equal((active, passive), (CONNECTIONS, CONNECTIONS), "what the namespace counted")
    port = server.getsockname()[1]
    wait_for(lambda: len(lives(tcptop, port)) >= 2 * CONNECTIONS, 20, "all of them")
    lines = tcptop.stop()
    connected, accepted = ([x for x in lines if x["type"] == "connection" and port in (x["lport"], x["rport"]) and
                            x["accepted"] == side] for side in (0, 1))
    check_equal((len(connected), len(accepted)), (active, passive), "connections")
    check_equal(sum(x.get("connections_lost", 0) for x in intervals(lines)), 0, "lost")
    check_equal(sum(x["tx_bytes"] for x in connected), sum(n % 7 for n in range(CONNECTIONS)), "bytes sent")
    check_equal({x.get("pid") for x in connected + accepted}, {os.getpid()}, "owners")
    # what a process closes with bytes unread is reset
    check_equal({x["end"] for x in connected},
                {"closed by us", "closed by remote", "reset by remote"}, "ends of who connected")
    ago = [(x["time"], -x["ago_us"]) for x in connected]
    check_equal(ago, sorted(ago), "the order")


@case
def bytes_and_who_closed_first():
    tcptop = tracing()
    for family in socket.AF_INET, socket.AF_INET6:
        for first in "client", "server":
            server = listener(family)
            client, peer = pair(server)
            client.sendall(b"x" * 1234)
            peer.sendall(b"y" * 77)
            check_equal((len(peer.recv(2000)), len(client.recv(100))), (1234, 77), "moved")
            ends = {"client": client, "server": peer}
            ends.pop(first).close()
            other = ends.popitem()[1]
            check_equal(other.recv(1), b"", "the end")
            time.sleep(0.1)
            other.close()
            port = server.getsockname()[1]
            server.close()
            [connected], [accepted] = expect_lives(tcptop, port, 2)
            closed = ["closed by us", "closed by remote"]
            check_equal([connected["end"], accepted["end"]], closed if first == "client" else closed[::-1], "ends")
            check_equal((connected["tx_bytes"], connected["rx_bytes"]), (1234, 77), "bytes of who connected")
            check_equal((accepted["tx_bytes"], accepted["rx_bytes"]), (77, 1234), "bytes of who was connected to")
            check(0 < connected["connect_us"] <= connected["lived_us"], f"times: {connected}")
            last = accepted if first == "client" else connected
            check(100000 <= last["lived_us"] < 5e6, f"lived: {last}")
            check_equal((connected["owner_by"], accepted["owner_by"]), ("connect", "close"), "how owners are known")
            check("connect_us" not in accepted and "syn_retries" not in connected, f"{connected} {accepted}")
    tcptop.stop()


@case
def accept_delay():
    """From the handshake, which the kernel does, until a process moves bytes; a process that waits for the remote is not slow."""
    tcptop = tracing()
    server = listener()
    port = server.getsockname()[1]

    def accepted(delay, early, late, speaks_first):
        client = socket.create_connection(server.getsockname())
        established = time.monotonic()
        if early:
            client.send(b"x")
        time.sleep(delay)
        peer = server.accept()[0]
        if speaks_first:
            peer.send(b"y")
        elif early:
            peer.recv(1)
        called = time.monotonic()
        if late:
            sender = threading.Timer(0.2, client.send, [b"x"])
            sender.start()
            peer.recv(1)
            sender.join()
        count = len(lives(tcptop, port))
        client.close()
        peer.close()
        told = expect_lives(tcptop, port, count + 2)[1][-1]
        return told.get("accept_us"), (called - established) * 1e6

    for arguments in (0.3, True, False, False), (0.05, False, False, True), (0, True, False, False), (0.1, True, True, True):
        told, truth = accepted(*arguments)
        check(told is not None and abs(told - truth) < seconds(2000), f"{arguments}: {told} us, it took {truth:.0f}")
    told, _ = accepted(0, False, True, False)
    check_equal(told, None, "accepted at once, then waited for the remote")
    tcptop.stop()


@case
def resets():
    tcptop = tracing()
    server = listener()
    port = server.getsockname()[1]
    client, peer = pair(server)
    reset(client)
    time.sleep(0.1)
    peer.close()
    [connected], [accepted] = expect_lives(tcptop, port, 2)
    check_equal((connected["end"], accepted["end"]), ("reset by us", "reset by remote"), "by SO_LINGER")
    check_equal(accepted["error"], 104, "errno")
    client, peer = pair(server)
    client.send(b"unread")
    time.sleep(0.1)
    peer.close()
    time.sleep(0.1)
    client.close()
    connected, accepted = (x[-1] for x in expect_lives(tcptop, port, 4))
    check_equal((connected["end"], accepted["end"]), ("reset by remote", "reset by us"), "with bytes unread")
    check_equal((connected["tx_bytes"], accepted["rx_bytes"]), (6, 0), "bytes")
    with open("/sys/kernel/btf/vmlinux", "rb") as stream:
        has_reasons = b"SK_RST_REASON_TCP_ABORT_ON_CLOSE" in stream.read()
    if has_reasons:
        check_equal(accepted.get("reason"), "tcp_abort_on_close", "reason")
    tcptop.stop()


@case
def not_established():
    """Refused; timed out after a SYN that was sent again; given up; without a port."""
    tcptop = tracing()
    server = listener()
    port = server.getsockname()[1]
    server.close()
    with socket.socket() as client:
        check(client.connect_ex(("127.0.0.1", port)), "connected to nobody")
    [refused], _ = expect_lives(tcptop, port, 1)
    check_equal((refused["end"], refused["error"], refused["pid"]), ("refused", 111, os.getpid()), "refused")

    server = listener(backlog=0)
    port = server.getsockname()[1]
    fills = pair_fill(server)
    with socket.socket() as client:
        client.setsockopt(socket.IPPROTO_TCP, TCP_SYNCNT, 1)
        check(client.connect_ex(("127.0.0.1", port)), "connected to a full listener")
    [timed_out] = wait_for(lambda: [x for x in lives(tcptop, port) if x["end"] == "timed out"], 20, "timed out")
    check_equal((timed_out["syn_retries"], timed_out["error"]), (1, 110), "the SYN was sent again")
    check(2.8e6 < timed_out["lived_us"] < 6e6, f"1 s and 2 s: {timed_out}")
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", port))
    [given_up] = wait_for(lambda: [x for x in lives(tcptop, port) if x["end"] == "given up"], 20, "given up")
    check("connect_us" not in given_up, f"{given_up}")

    # room for the SYN that is sent again: connected after a second
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(("127.0.0.1", port))
    time.sleep(0.3)
    fills.append(server.accept()[0])
    select.select([], [client], [], 5)
    check_equal(client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0, "connected")
    local = client.getsockname()[1]
    client.close()
    slow = wait_for(lambda: [x for x in lives(tcptop, port) if x["lport"] == local], 20, "connected slowly")[0]
    check_equal(slow["syn_retries"], 1, "the SYN was sent again")
    check(950000 < slow["connect_us"] < 1500000, f"1 s: {slow}")

    server = listener()
    port = server.getsockname()[1]
    with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as stream:
        before = stream.read()
    write("/proc/sys/net/ipv4/ip_local_port_range", "50002 50003")
    try:
        clients = [socket.socket() for _ in range(4)]
        results = [client.connect_ex(("127.0.0.1", port)) for client in clients]
    finally:
        write("/proc/sys/net/ipv4/ip_local_port_range", before)
    missing = sum(result != 0 for result in results)
    check(missing, f"ports for all: {results}")
    found = wait_for(lambda: [x for x in lives(tcptop, port) if x["end"] == "no free port"], 20, "no free port")
    check_equal(len(found), missing, "connections without a port")
    for each in (*clients, *fills):
        each.close()
    tcptop.stop()


def pair_fill(server):
    """Connections until the queue of what is to be accepted is full: the SYNs of others are dropped."""
    filled = []
    for _ in range(8):
        client = socket.socket()
        client.settimeout(0.2)
        filled.append(client)
        with contextlib.suppress(OSError):
            client.connect(server.getsockname())
            continue
        filled.pop().close()
        return filled
    raise Skipped("the queue of a listener does not fill")


def serve_in_child(server, count, prepare=lambda: None, end=socket.socket.close):
    """A process that accepts and ends so many connections; its PID."""
    pid = os.fork()
    if pid == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prepare()
        for _ in range(count):
            peer = server.accept()[0]
            peer.recv(100)
            end(peer)
        os._exit(0)
    return pid


@case
def owners_of_what_workers_accept():
    """Not the one that listens: who closes it or, where the remote resets it, who moved its bytes."""
    server = listener()
    port = server.getsockname()[1]
    tcptop = tracing()
    pid = serve_in_child(server, 1)
    with socket.create_connection(server.getsockname()) as client:
        client.send(b"x")
        client.recv(1)
    _, [accepted] = expect_lives(tcptop, port, 2)
    check_equal((accepted["pid"], accepted["owner_by"]), (pid, "close"), "closed by a worker")
    os.waitpid(pid, 0)
    pid = serve_in_child(server, 1, end=lambda peer: (time.sleep(seconds(1)), peer.close()))
    client = socket.create_connection(server.getsockname())
    client.send(b"x")
    time.sleep(0.05)
    reset(client)
    _, accepted = expect_lives(tcptop, port, 4)
    check(accepted[-1]["pid"] in (pid, os.getpid()), f"nobody's: {accepted[-1]}")
    used = [x for x in sessions(tcptop.lines()) if x["lport"] == port and x["pid"] == pid]
    if used and used[-1]["time"] == accepted[-1]["time"]:
        check_equal((accepted[-1]["pid"], accepted[-1]["owner_by"]), (pid, "traffic"), "used by a worker")
    os.waitpid(pid, 0)
    tcptop.stop()


@case
def under_the_same_filters():
    """By process, port, family, by cgroup and mount namespace where there are any, and by pinned maps of these."""
    server, six = listener(), listener(socket.AF_INET6)

    def prepare():
        enter_cgroup(group)
        unshare_mounts()

    with bpffs() as pins, cgroup() as group:
        child = serve_in_child(server, 3, prepare)
        try:
            wait_for(lambda: mount_namespace(child) != mount_namespace("self"), 10, "a mount namespace")
            connect_under_filters(server, six, child, group, pins)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


def mount_namespace(pid):
    return os.stat(f"/proc/{pid}/ns/mnt").st_ino


def pinned(pins, name, key):
    """The path of a map with this key alone."""
    path = os.path.join(pins, name)
    bpf.map_add(bpf.pin(bpf.map_create(), path), key)
    return path


def connect_under_filters(server, six, child, group, pins):
    port = server.getsockname()[1]
    own = str(os.getpid())
    sides = {
        ("-p", str(child)): {1},
        ("--cgroup", group, "--lport", str(port)): {1},
        ("--cgroup", "!" + group): {0},
        ("-4", "-p", own, "--uid", str(os.getuid()), "--host", "127.0.0.0/8", "--netns", own, "--rport", str(port)): {0},
        ("-6",): set(),
        ("--mntns", "!" + own, "-4"): {1},
        ("--cgroupmap", pinned(pins, "group", os.stat(group).st_ino)): {1},
        ("--mntnsmap", pinned(pins, "child", mount_namespace(child))): {1},
        ("--mntnsmap", pinned(pins, "own", mount_namespace("self")), "-4"): {0},
        ("--cgroupmap", pinned(pins, "both", os.stat(group).st_ino), "-p", own): set(),
    }
    tracers = {arguments: tracing(*arguments) for arguments in sides}
    for _ in range(3):
        with socket.create_connection(server.getsockname()) as client:
            client.send(b"x")
            client.recv(1)
    for each in pair(six):
        each.close()
    time.sleep(seconds(0.5))
    for arguments, tcptop in tracers.items():
        told = [x for x in tcptop.stop() if x["type"] == "connection" and port in (x["lport"], x["rport"])]
        check_equal(sorted(x["accepted"] for x in told), sorted(3 * list(sides[arguments])), f"sides with {arguments}")


@case
def services():
    """By listening port: each connection is new once, is open for as long, waits, is turned away, and ends."""
    server, slow = listener(), listener(backlog=1)
    port, slow_port = (each.getsockname()[1] for each in (server, slow))
    tcptop = tracing("-a", interval="0.5")

    def told(of):
        return [x for x in tcptop.lines() if x["type"] == "service" and x["lport"] == of]

    wait_for(lambda: told(port) and told(slow_port), 20, "services")
    count = 300
    held = [pair(server) for _ in range(5)]
    for number in range(count):
        client, peer = pair(server)
        if number % 10 == 0:
            reset(client)
        for each in client, peer:
            each.close()
    fills = pair_fill(slow)
    with socket.socket() as turned_away:
        turned_away.setblocking(False)
        turned_away.connect_ex(slow.getsockname())
        wait_for(lambda: sum(x["ended"] for x in told(port)) >= count and told(port)[-1]["new"] == 0, 20, "their ends")
        wait_for(lambda: sum(x["drops"] for x in told(slow_port)), 20, "drops")
    found = told(port)
    new = sum(x["new"] for x in found)
    check_equal(new, count + 5, "new")
    check_equal(sum(x["ended"] for x in found), count, "ended")
    check_equal(sum(x["resets"] for x in found), count / 10, "reset")
    check_equal((found[-1]["open"], found[-1]["listeners"], found[-1]["pid"]), (5, 1, os.getpid()), "open, by whom")
    waiting = told(slow_port)[-1]
    check_equal((waiting["backlog"], waiting["backlog_max"], waiting["open"]), (len(fills), 1, 0), "waiting")
    lines = tcptop.stop()
    again = [json.loads(line) for line in replay(lines, "-o", "json").splitlines()]
    check_equal([x for x in again if x["type"] == "service"], [x for x in lines if x["type"] == "service"], "what was replayed")
    for each in (*sum(held, ()), *fills):
        each.close()


@case
def recorded_and_replayed():
    tcptop = tracing()
    server = listener()
    client, peer = pair(server)
    reset(client)
    peer.close()
    expect_lives(tcptop, server.getsockname()[1], 2)
    lines = tcptop.stop()
    again = list(map(json.loads, replay(lines, "-o", "json").splitlines()))
    check_equal([x for x in again if x["type"] == "connection"], [x for x in lines if x["type"] == "connection"],
                "what was replayed")


@case
def more_than_there_is_room_for():
    tcptop = tracing("--max-sessions", 8, interval="2")
    server = listener()
    for _ in range(50):
        for each in pair(server):
            each.close()
    lines = tcptop.stop()
    lost = sum(x.get("connections_lost", 0) for x in intervals(lines))
    told = sum(x["type"] == "connection" for x in lines)
    check(lost and lost + told >= 100, f"{told} told, {lost} said to be lost, of 100")


@case
def has_an_effect():
    check_error(Tcptop("--connections", "-o", "csv", "1", "1", wait=False), 2, "--connections has no effect with -o csv")


def run_time_ns(tcptop):
    """Of all its programs, as the kernel measures it."""
    total = 0
    for number in os.listdir(f"/proc/{tcptop.pid}/fdinfo"):
        with open(f"/proc/{tcptop.pid}/fdinfo/{number}", encoding="ascii") as stream:
            total += sum(int(line.split()[1]) for line in stream if line.startswith("run_time_ns:"))
    return total


@case
def what_it_costs():
    """The time of the programs for a connection, both of whose ends are here. Printed; the limit is a coarse one."""
    count, found = 3000, {}
    with bpf.run_times_counted():
        for kind in "not noted", "noted":
            tcptop = tracing(interval="5") if kind == "noted" else Tcptop("-o", "json", "5")
            server = listener()
            before = run_time_ns(tcptop)
            for _ in range(count):
                for each in pair(server):
                    each.close()
            found[kind] = (run_time_ns(tcptop) - before) / count
            tcptop.stop()
    print(f"ns of a connection, both ends: {found['not noted']:.0f}, noted: {found['noted']:.0f}")
    check(found["noted"] - found["not noted"] < seconds(50000), f"too dear: {found}")


if __name__ == "__main__":
    if os.geteuid() == 0:
        isolate()
    sys.exit(main())
