#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Threads whose ids share a place of bpf_text/probe_kprobe.c: it is one's alone, all are counted, and it is given back."""
import os
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from bpf import array_element  # noqa: E402
from live import Process, Skipped, Tcptop, case, check, check_equal, check_totals, intervals, main, sessions, wait_for  # noqa: E402

CALL_PLACES = 16384
LAST_PID = "/proc/sys/kernel/ns_last_pid"  # the next thread has one more
MESSAGES, OWNER_BYTES, OTHER_BYTES = 50, 301, 77
CHANGE = "run-and-change"


def thread_with_id(number, function):
    """Starts a thread with this id. What else starts a process at the moment may take it."""
    started = []

    def body():
        started.append(threading.get_native_id())
        if started[0] == number:
            function()

    for _ in range(100):
        started.clear()
        with open(LAST_PID, "w", encoding="ascii") as stream:
            stream.write(str(number - 1))
        thread = threading.Thread(target=body)
        thread.start()
        wait_for(lambda: started, 5, "a thread")
        if started[0] == number:
            return thread
        thread.join()
    raise Skipped(f"no thread could be given the id {number}")


def free_ids():
    """Two that share a place, which nobody has."""
    if not os.path.exists(LAST_PID):
        raise Skipped("this kernel lets no id be chosen (CONFIG_CHECKPOINT_RESTORE)")
    with open("/proc/sys/kernel/pid_max", encoding="ascii") as stream:
        if int(stream.read()) <= CALL_PLACES + 8000:
            raise Skipped("no two ids share a place")
    return next((x, x + CALL_PLACES) for x in range(7000, 8000)
                if not os.path.exists(f"/proc/{x}") and not os.path.exists(f"/proc/{x + CALL_PLACES}"))


def pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = socket.create_connection(listener.getsockname())
        return near, listener.accept()[0]


def owner(thread_id):
    """The thread that owns the place of this one, 0: none does."""
    return struct.unpack_from("=Q", array_element("call_places", thread_id % CALL_PLACES))[0]


def moved(lines, near):
    """Received and sent by this end."""
    rows = [x for x in sessions(lines, {os.getpid()}) if x["lport"] == near]
    return [sum(x[name] for x in rows) for name in ("rx_bytes", "tx_bytes")]


@case
def two_threads_of_one_place():
    """One waits in a call, which stands in the place, while the other one calls."""
    first, second = free_ids()
    tcptop = Tcptop("-o", "json", "600")
    waiting, waker = pair()
    calling, called = pair()
    ports = waiting.getsockname()[1], calling.getsockname()[1]
    done = []

    def wait():
        waiting.sendall(b"x" * OWNER_BYTES)
        done.append(len(waiting.recv(OWNER_BYTES, socket.MSG_WAITALL)))

    def call():
        for _ in range(MESSAGES):
            calling.sendall(b"x" * OTHER_BYTES)
            called.sendall(b"y")
            calling.recv(1)
        done.append(MESSAGES)

    owning = thread_with_id(first, wait)
    waker.recv(OWNER_BYTES, socket.MSG_WAITALL)
    wait_for(lambda: owner(first) == os.getpid() << 32 | first, 5, "the thread owns its place")
    other = thread_with_id(second, call)
    other.join()
    check_equal(owner(second), os.getpid() << 32 | first, "the owner, after the other one's calls")
    waker.sendall(b"x" * OWNER_BYTES)
    owning.join()
    wait_for(lambda: owner(first) == 0, 5, "the place is free")
    later = thread_with_id(second, call)
    later.join()
    lines = tcptop.stop()
    check_equal(done, [MESSAGES, OWNER_BYTES, MESSAGES], "what the threads did")
    check_totals(lines)
    check_equal(moved(lines, ports[0]), [OWNER_BYTES, OWNER_BYTES], "received and sent by the owner")
    check_equal(moved(lines, ports[1]), [2 * MESSAGES, 2 * MESSAGES * OTHER_BYTES], "received and sent by the others")
    check_equal(sum(x["missed_runs"] for x in intervals(lines)), 0, "missed runs")


def run_and_change():
    """In a process of its own: a thread that is not the leader moves bytes, and becomes another program."""
    number = int(sys.argv[2])
    near, far = pair()

    def body():
        near.sendall(b"x" * OWNER_BYTES)
        print(far.recv(OWNER_BYTES, socket.MSG_WAITALL) and "moved", flush=True)
        sys.stdin.readline()
        os.execv("/bin/sh", ["sh", "-c", "echo changed; read line"])

    thread_with_id(number, body).join()


@case
def place_of_a_thread_that_executes():
    first, _ = free_ids()
    tcptop = Tcptop("-o", "json", "600")
    child = Process([sys.executable, "-B", os.path.abspath(__file__), CHANGE, str(first)], stdin=subprocess.PIPE)
    wait_for(lambda: b"moved" in child.stdout, 20, "the thread has moved bytes")
    check_equal(owner(first), child.pid << 32 | first, "the owner before execve()")
    child.popen.stdin.write(b"\n")
    child.popen.stdin.flush()
    wait_for(lambda: b"changed" in child.stdout, 20, "the thread is another program")
    check_equal(owner(first), 0, "the owner after execve()")
    child.popen.stdin.close()
    child.expect(1)
    tcptop.stop()


if __name__ == "__main__":
    sys.exit(run_and_change() if CHANGE in sys.argv else main(limit=60))
