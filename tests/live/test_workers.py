#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Filters and threads that are not the process's own: what io_uring's threads move is the process's for each of them."""
import contextlib
import os
import socket
import subprocess
import sys

import bpf
from live import (
    CLONE_NEWNET,
    Mover,
    Skipped,
    Tcptop,
    bpffs,
    call,
    case,
    cgroup,
    cgroup2_root,
    check,
    check_equal,
    check_totals,
    compare,
    enter_cgroup,
    judged,
    libc,
    main,
    merge,
    sessions,
    unshare_mounts,
    wait_for,
)

BYTES = 100003
USER = 65534
PATHS = ("uring_sqpoll", "uring_worker")  # IORING_SETUP_SQPOLL; IOSQE_ASYNC


def elsewhere(group):
    """A user, cgroup and namespaces that nobody else has."""
    enter_cgroup(group)
    call(libc.unshare, CLONE_NEWNET)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    unshare_mounts()
    os.setuid(USER)


def pinned(directory, name, keys):
    path = os.path.join(directory, name)
    descriptor = bpf.pin(bpf.map_create(), path)
    for key in keys:
        bpf.map_add(descriptor, key)
    os.close(descriptor)
    return path


def each(option, values, mark=""):
    return [argument for value in values for argument in (option, f"{mark}{value}")]


def tools(ends, group, pins):
    """Each: (title, arguments, whether the movers pass)."""
    pids, names = [end["pid"] for end in ends], sorted({end["comm"] for end in ends})
    namespaces = {os.stat(f"/proc/{pid}/ns/mnt").st_ino for pid in pids}
    yield "-p", each("-p", pids), True
    yield "-4", ["-4"], True
    yield "-6", ["-6"], False
    for option, values in (
        ("--uid", [USER]),
        ("--comm", names),
        ("--port", sorted({end["lport"] for end in ends})),
        ("--host", ["127.0.0.1"]),
        ("--netns", pids),
        ("--mntns", pids),
        ("--cgroup", [group]),
    ):
        yield option, each(option, values), True
        yield f"{option} !", each(option, values, "!"), False
    yield "--cgroupmap", ["--cgroupmap", pinned(pins, "cgroup", [os.stat(group).st_ino])], True
    yield "--mntnsmap", ["--mntnsmap", pinned(pins, "mntns", namespaces)], True
    yield "--cgroupmap, of the root", ["--cgroupmap", pinned(pins, "root", [1])], False


def judge(tcptop, truth, passes):
    lines = tcptop.stop()
    check_totals(lines)
    compare(lines, truth if passes else {}, {key[0] for key in truth})


@case
def io_uring():
    """A polling thread of the kernel's and workers, all tools at the same time."""
    with bpffs() as pins, cgroup(".service") as group:
        movers = [Mover("move", path, "--hold", prepare=lambda: elsewhere(group)) for path in PATHS]
        for path, mover in zip(PATHS, movers):
            wait_for(lambda mover=mover: mover.lines() or mover.popen.poll() is not None, 20, "a mover")
            if mover.popen.poll() == 77:
                raise Skipped(f"{path}: {mover.stderr.strip()}")
            mover.wait_event("holding")
        ends = [line for mover in movers for line in mover.lines() if line["event"] == "connected"]
        wanted = list(tools(ends, group, pins))
        running = [Tcptop("-o", "json", "--max-sessions", 4096, *x[1], "0.5", wait=False) for x in wanted]
        for tcptop in running:
            tcptop.wait_attached(60)
        for mover in movers:
            mover.release()
        truth = merge(*(mover.truth() for mover in movers))
        for (title, _, passes), tcptop in zip(wanted, running):
            yield judged(title, judge, tcptop, truth, passes)


def connect():
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        return client, server.accept()[0]


def kernel_tools(port, group, pins):
    """The same for a thread of the kernel: root's, in the root cgroup, in no namespace of this process's but that of the socket."""
    with open("/proc/self/comm", encoding="utf-8") as stream:
        own = stream.read().strip()
    pid = os.getpid()
    yield "nothing", [], True
    yield "-p", ["-p", str(pid)], False
    for option, value, passes in (
        ("--uid", 0, True),
        ("--comm", own, False),
        ("--port", port, True),
        ("--host", "127.0.0.1", True),
        ("--netns", pid, True),
        ("--mntns", pid, False),
        ("--cgroup", group, False),
    ):
        yield option, [option, str(value)], passes
        yield f"{option} !", [option, f"!{value}"], not passes
    yield "--cgroupmap", ["--cgroupmap", pinned(pins, "group", [os.stat(group).st_ino])], False
    yield "--mntnsmap", ["--mntnsmap", pinned(pins, "own", [os.stat("/proc/self/ns/mnt").st_ino])], False


def judge_kernel(tcptop, port, passes):
    rows = [x for x in sessions(tcptop.stop()) if x["lport"] == port]
    check_equal(sum(x["tx_bytes"] for x in rows), BYTES if passes else 0, "bytes sent by the kernel")
    check(all(x["comm"].startswith("kworker/") for x in rows), f"they stand under {rows[:1]}")


@contextlib.contextmanager
def entered(group):
    enter_cgroup(group)
    try:
        yield
    finally:
        enter_cgroup(cgroup2_root())


@case
def threads_of_the_kernel():
    """A worker that sends what a sockmap has redirected."""
    with bpffs() as pins, cgroup() as group, entered(group):
        sender, source = connect()
        target, receiver = connect()
        try:
            kept = bpf.redirect(source, target)
        except OSError as error:
            raise Skipped(f"this kernel has no redirection between sockets: {error}") from None
        port = target.getsockname()[1]
        wanted = list(kernel_tools(port, group, pins))
        running = [Tcptop("-o", "json", "--max-sessions", 4096, *x[1], "0.5", wait=False) for x in wanted]
        for tcptop in running:
            tcptop.wait_attached(60)
        sender.sendall(b"x" * BYTES)
        receiver.settimeout(20)
        received = 0
        while received < BYTES:
            received += len(receiver.recv(65536))
        for descriptor in (*kept, *(x.detach() for x in (sender, source, target, receiver))):
            os.close(descriptor)
        for (title, _, passes), tcptop in zip(wanted, running):
            yield judged(title, judge_kernel, tcptop, port, passes)


if __name__ == "__main__":
    unshare_mounts()
    sys.exit(main(120))
