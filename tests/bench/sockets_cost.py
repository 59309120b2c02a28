# SPDX-License-Identifier: Apache-2.0
"""The part "sockets" of run.py: what a pass over all sockets costs, by their number, and what an application feels of it."""
import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time

import live
from figures import say, spread

COUNTS = 1000, 10000, 100000, 200000
PASSES = 8
LATENCY_S = 10
PAIRS = 9000  # of each process: a limit on open files of 20,000 is common

# Idle pairs, both ends in one process with an address of its own, until its standard input ends.
IDLE = """
import resource, socket, sys
number, count = int(sys.argv[1]), int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
ends = []
listener = socket.create_server(("127.0.%d.1" % (1 + number), 0), backlog=4096)
for _ in range(count):
    ends.append(socket.create_connection(listener.getsockname()))
    ends.append(listener.accept()[0])
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def idle_sockets(count):
    parts = range(0, count // 2, PAIRS)
    processes = [
        subprocess.Popen([sys.executable, "-c", IDLE, str(number), str(min(PAIRS, count // 2 - first))],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for number, first in enumerate(parts)
    ]
    try:
        for process in processes:
            live.check(process.stdout.readline() == b"ready\n", "no idle pairs")
        yield
    finally:
        for process in processes:
            process.stdin.close()
            process.stdout.close()
            process.wait(60)


def passes(count):
    """Intervals with a pass that told of all of them: (ns of processor time a socket, sockets, sockets not told)."""
    tcptop = live.Tcptop("-a", "-o", "json", 1, wait=False)
    found = []
    end = time.monotonic() + 120
    while len(found) < PASSES and time.monotonic() < end:
        time.sleep(1)
        intervals = [line for line in tcptop.lines() if line["type"] == "interval"]
        found = [(line["sockets_cpu_ns"] / line["sockets"], line["sockets"], line.get("sockets_not_told", 0))
                 for line in intervals if line.get("sockets", 0) >= count]
    tcptop.stop()
    live.check(len(found) > 1, f"only {len(found)} passes told of {count} sockets")
    return found[1:], len(intervals)


def send_latencies():
    """How long each send of 64 bytes to a waiting reader of this process takes, in ns, sorted."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    clock, send, receive, spans = time.perf_counter_ns, client.send, server.recv, []
    end = clock() + LATENCY_S * 10**9
    now = clock()
    while now < end:
        begun = clock()
        send(b"x" * 64)
        now = clock()
        spans.append(now - begun)
        receive(64)
    for each in (client, server, listener):
        each.close()
    return sorted(spans)


def percentile(spans, share):
    return spans[min(len(spans) - 1, int(len(spans) * share))]


def part_latency(count):
    """Without sockets, with, without, with: the medians of each are compared."""
    figures = {False: [], True: []}
    for told in (False, True) * 3:
        arguments = ["-a", "-o", "json", "1"] if told else ["-o", "json", "1"]
        with open(os.devnull, "wb") as null:
            tcptop = live.Tcptop(*arguments, stdout=null)
            time.sleep(2)
            figures[told].append(send_latencies())
            tcptop.send(2)
            tcptop.expect(0)
    for share, name in ((0.5, "median"), (0.999, "p99.9")):
        off, on = (statistics.median(percentile(spans, share) for spans in figures[told]) for told in (False, True))
        say("sockets", f"a send beside {count:,} sockets, {name}", f"{off / 1000:.2f} us without passes, {on / 1000:.2f} with: "
            f"{on / off:.2f}")


def part_sockets(_work):
    for count in COUNTS:
        with idle_sockets(count):
            found, intervals = passes(count)
            say("sockets", f"a socket in a pass over {count:,}, ns", spread([ns for ns, _, _ in found], digits=0)
                + f", {len(found) + 1} passes in {intervals} intervals, {found[-1][1]:,} told, {found[-1][2]} not")
            if count <= 100000:
                part_latency(count)
