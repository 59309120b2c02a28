#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the running screen costs: CPU time and memory with 1,000 sessions, and how soon a key is answered.

    bench_screen.py TCPTOP [SECONDS]

As root: tcptop traces. The sessions are 500 connections on loopback of this process, one message a second each.
"""

import fcntl
import os
import pty
import resource
import select
import signal
import socket
import statistics
import struct
import sys
import termios
import threading
import time

CONNECTIONS = 500
WIDTH, HEIGHT = 80, 24


def connect():
    resource.setrlimit(resource.RLIMIT_NOFILE, (4 * CONNECTIONS, 4 * CONNECTIONS))
    listener = socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS)
    pairs = []
    for _ in range(CONNECTIONS):
        client = socket.create_connection(listener.getsockname())
        pairs.append((client, listener.accept()[0]))
    return pairs


def traffic(pairs, stop):
    """Each connection carries 100 to 1,000 bytes a second, so that the order changes all the time."""
    count = 0
    while not stop.wait(0.9):
        for client, server in pairs:
            count += 1
            client.send(b"x" * (100 + count * 7 % 900))
            server.recv(4096)


def start(*command):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    return pid, fd


def drain(fd, seconds):
    """Reads what the screen writes for so long; returns the bytes."""
    total, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([fd], [], [], left)[0]:
            total += len(os.read(fd, 65536))
    return total


def cpu_s(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("VmRSS"))


def answer_ms(fd, key):
    drain(fd, 0.15)
    start_s = time.monotonic()
    os.write(fd, key)
    if not select.select([fd], [], [], 2)[0]:
        sys.exit("a key was not answered within 2 s")
    return 1000 * (time.monotonic() - start_s)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 20
    stop = threading.Event()
    threading.Thread(target=traffic, args=(connect(), stop), daemon=True).start()
    # These sessions alone: others on the host would count as well.
    pid, fd = start(sys.argv[1], "-p", str(os.getpid()))
    drain(fd, 5)
    before = cpu_s(pid)
    written = drain(fd, seconds)
    used = cpu_s(pid) - before
    print("%d sessions, %dx%d, 1 s interval, %g s" % (2 * CONNECTIONS, WIDTH, HEIGHT, seconds))
    print("CPU: %.2f%% of a core (all threads)" % (100 * used / seconds))
    print("resident memory: %d KB" % memory_kb(pid))
    print("written to the terminal: %.0f bytes/s" % (written / seconds))
    answers = [answer_ms(fd, key) for _ in range(10) for key in (b"I", b"m", b"g", b"c")]
    # The same through a program that only copies: what waking a process takes on this machine just now.
    cat_pid, cat_fd = start("sh", "-c", "stty raw -echo; exec cat")
    drain(cat_fd, 0.5)
    plain = [answer_ms(cat_fd, b"x") for _ in answers]
    os.kill(cat_pid, signal.SIGKILL)
    os.waitpid(cat_pid, 0)
    for what, times in (("a key is answered", answers), ("cat answers", plain)):
        print("%s in %.1f ms (median), %.1f ms (slowest of %d)"
              % (what, statistics.median(times), max(times), len(times)))
    os.kill(pid, signal.SIGTERM)
    drain_end = time.monotonic() + 3
    while time.monotonic() < drain_end and os.waitpid(pid, os.WNOHANG) == (0, 0):
        if select.select([fd], [], [], 0.05)[0]:
            try:
                os.read(fd, 65536)
            except OSError:
                pass
    stop.set()


main()
