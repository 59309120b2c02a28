# SPDX-License-Identifier: Apache-2.0
"""Loads under which runs of programs are skipped, and what is missing then."""
import os
import socket
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from live import check, sessions, sum_sessions, wait_for  # noqa: E402

THREADS, SECONDS, MESSAGE = 8, 5, 64
SLEEPERS, SLEEPER_BYTES = 40, 1009


def missing_bytes(lines, truth):
    """[received, sent], after a check that nothing is there that was not moved."""
    found = sum_sessions(sessions(lines, {key[0] for key in truth}))
    check(set(found) <= set(truth), f"sessions that nobody had: {sorted(set(found) - set(truth))[:2]}")
    missing = [0, 0]
    for key, counts in truth.items():
        for direction in (0, 1):
            lost = counts[direction] - found.get(key, [0, 0])[direction]
            check(lost >= 0, f"{-lost} bytes more than were moved stand under PID {key[0]}")
            missing[direction] += lost
    return missing


def is_waiting(thread):
    """In the kernel's tcp_recvmsg: nothing else of this process sleeps there."""
    with open(f"/proc/self/task/{thread}/stack", encoding="ascii") as stream:
        return "tcp_recvmsg" in stream.read()


def sleeping_pairs():
    """(sender, receiver), more than a kretprobe has places for."""
    server = socket.create_server(("127.0.0.1", 0), backlog=SLEEPERS)
    pairs = []
    for _ in range(SLEEPERS):
        client = socket.create_connection(server.getsockname())
        pairs.append((client, server.accept()[0]))
    return pairs


def wake_all(pairs, receive):
    """A thread each calls receive(receiver); once all of them wait, each gets its message. Returns when they have it."""
    threads = [threading.Thread(target=receive, args=(receiver,)) for _, receiver in pairs]
    for thread in threads:
        thread.start()
    wait_for(lambda: all(is_waiting(thread.native_id) for thread in threads), 5, "threads that wait")
    for sender, _ in pairs:
        sender.sendall(b"x" * SLEEPER_BYTES)
    for thread in threads:
        thread.join()
