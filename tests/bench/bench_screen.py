#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the running screen costs: CPU time, memory, and how soon a key is answered.

    bench_screen.py TCPTOP [SESSIONS [SECONDS [INTERVAL_S]]]    live; 1,000 sessions, 20 s, 1 s unless told
    bench_screen.py TCPTOP replay RECORDING [SECONDS]           the same on a recording

Live needs root: tcptop traces. The sessions are connections on loopback of some processes of this script's own,
each with one message an interval. A key is answered when what it changes on the screen has arrived; keys come at
random moments, so that some fall into the drain and the redrawing.
"""

import fcntl
import os
import pty
import random
import re
import resource
import select
import signal
import socket
import statistics
import struct
import sys
import termios
import time

PORTS = 20000  # connections to one address: fewer than the ephemeral ports
KEYS = 72
SIZE = 200, 60


def connect(count, first_address):
    """Pairs of connected sockets, spread over addresses of 127.0.0.0/8."""
    pairs = []
    while len(pairs) < count:
        address = "127.0.%d.%d" % (first_address, 1 + len(pairs) // PORTS)
        with socket.create_server((address, 0), backlog=128) as listener:
            for _ in range(min(PORTS, count - len(pairs))):
                client = socket.create_connection(listener.getsockname())
                pairs.append((client, listener.accept()[0]))
    return pairs


def traffic(count, first_address, interval_s, ready):
    """Each connection carries 100 to 1,000 bytes an interval, so that the order changes all the time."""
    pairs = connect(count, first_address)
    os.nice(19)  # it is there to be counted, not to take the machine away from what is measured
    os.write(ready, b"x")
    sent, begin = 0, time.monotonic()
    while os.getppid() != 1:
        for i, (client, server) in enumerate(pairs):
            client.send(b"x" * (100 + sent * 7 % 900))
            server.recv(4096)
            sent += 1
            # Spread over the interval: others have to run, too.
            late = begin + 0.9 * interval_s * i / len(pairs) - time.monotonic()
            if i % 256 == 0 and late > 0:
                time.sleep(late)
        begin = max(begin + 0.9 * interval_s, time.monotonic())


def fork_traffic(sessions, interval_s):
    """The traffic's processes, as many as the limit of descriptors asks for, each with its connections made."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    processes = max(2, -(-sessions // (limit - 64)))
    pids = []
    for i in range(processes):
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                traffic(sessions // 2 // processes, 1 + i, interval_s, writer)
            except OSError as error:
                print("traffic: %s" % error, file=sys.stderr)
            finally:
                os._exit(1)
        pids.append(pid)
        os.close(writer)
        if not os.read(reader, 1):
            sys.exit("the traffic did not start")
    return pids


def start(*command):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8")
        os.execvp(command[0], command)
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
    return pid, fd


def drain(fd, seconds):
    """Reads what the screen writes for so long."""
    text, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([fd], [], [], left)[0]:
            text += os.read(fd, 65536)
    return text


def cpu_s(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii", errors="replace") as stream:
        fields = stream.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii", errors="replace") as stream:
        return next(int(line.split()[1]) for line in stream if line.startswith("VmRSS"))


def answer_ms(fd, key, answer):
    begin = time.monotonic()
    os.write(fd, key)
    text = b""
    while answer not in text:
        left = begin + 5 - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            sys.exit("a key was not answered within 5 s: %r" % key)
        text += os.read(fd, 65536)
    return 1000 * (time.monotonic() - begin)


# Each sequence leaves the screen as it was. What is looked for was not on the screen before.
KEY_SEQUENCES = (
    ((b"/", b"earch:"), (b"\r", b"elp")),
    ((b"I", "\u25b2".encode()), (b"I", "\u25bc".encode())),
    ((b"g", b"process"), (b"g", b"host"), (b"g", b"container"), (b"g", b"user"), (b"g", b"LOCAL")),
    ((b"?", b"this help"), (b"q", b"LOCAL")),
    ((b"\\", b"ilter:"), (b"17", b"filter: 17"), (b"\x15\r", b"elp")),
)


def answers(fd, interval_s):
    """Milliseconds, key by key; at moments that have nothing to do with the interval's."""
    chance = random.Random(5)
    times = {}
    while sum(map(len, times.values())) < KEYS:
        for sequence in KEY_SEQUENCES:
            for key, answer in sequence:
                drain(fd, 0.12 + chance.random() * min(interval_s, 1))
                times.setdefault(key, []).append(answer_ms(fd, key, answer))
    return times


def report(what, times):
    ordered = sorted(times)
    print("%s in %.1f ms (median), %.1f (p90), %.1f (p99), %.1f (slowest of %d)"
          % (what, statistics.median(ordered), ordered[int(0.9 * (len(ordered) - 1))],
             ordered[int(0.99 * (len(ordered) - 1) + 0.5)], ordered[-1], len(ordered)))


def end(pid, fd):
    """What it leaves on the terminal."""
    text = b""
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 5
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            sys.exit("it did not end within 5 s of SIGTERM")
        try:
            if select.select([fd], [], [], 0.05)[0]:
                text += os.read(fd, 65536)
        except OSError:
            pass
    return text


def measure(command, seconds, interval_s, what):
    pid, fd = start(*command)
    drain(fd, 4 * interval_s + 1)
    before = cpu_s(pid)
    written = len(drain(fd, seconds))
    used = cpu_s(pid) - before
    print("%s, %dx%d, %g s interval, %g s" % (what, *SIZE, interval_s, seconds))
    print("CPU: %.2f%% of a core (all threads)" % (100 * used / seconds))
    print("resident memory: %d KB" % memory_kb(pid))
    print("written to the terminal: %.0f bytes/s" % (written / seconds))
    times = answers(fd, interval_s)
    report("a key is answered", [ms for key in times.values() for ms in key])
    for key, of_key in times.items():
        report("  %-8s" % key.decode("ascii").encode("unicode_escape").decode(), of_key)
    counted = re.findall(rb"(\d+) sessions", end(pid, fd))
    print("sessions in the last interval: %s" % (counted[-1].decode() if counted else "not said"))
    # The same through a program that only copies: what waking a process takes on this machine just now.
    cat_pid, cat_fd = start("sh", "-c", "stty raw -echo; exec cat")
    drain(cat_fd, 0.5)
    plain = [drain(cat_fd, 0.05) is None or answer_ms(cat_fd, b"x", b"x") for _ in range(40)]
    os.kill(cat_pid, signal.SIGKILL)
    os.waitpid(cat_pid, 0)
    report("cat answers", plain)


def main():
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit(__doc__)
    print("load: %.2f %.2f %.2f" % os.getloadavg())
    if arguments[1:2] == ["replay"] and len(arguments) > 2:
        measure([arguments[0], "--replay", arguments[2]], float(arguments[3]) if arguments[3:] else 5, 1.0,
                "a recording")
        return
    sessions = int(arguments[1]) if arguments[1:] else 1000
    seconds = float(arguments[2]) if arguments[2:] else 20
    interval_s = float(arguments[3]) if arguments[3:] else 1.0
    pids = fork_traffic(sessions, interval_s)
    try:
        # These sessions alone: others on the host would count as well.
        measure([arguments[0], "-p", ",".join(map(str, pids)), "--max-sessions", str(max(65536, sessions + 1000)),
                 str(interval_s)], seconds, interval_s, "%d sessions" % sessions)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


main()
