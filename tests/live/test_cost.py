#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tcptop says that it costs, and --max-overhead. Other work on the host runs programs, too: only what holds beside it is checked."""
import json
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time

import bpf
from live import Tcptop, case, check, check_equal, main, wait_for

PAIRS = 20000


def pairs(count=PAIRS, until=None):
    """64-byte sends and receives on one connection: `count`, or until the event."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as near:
        far, _ = server.accept()
        with far:
            for _ in range(count):
                near.send(bytes(64))
                far.recv(64)
                if until and until.is_set():
                    break


def intervals(tool):
    return [line for line in map(json.loads, tool.stdout.splitlines()) if line["type"] == "interval"]


def kernel_time_ns(pid):
    """(ns, runs) of the programs that a process holds, as the kernel counts them while that is switched on."""
    total = [0, 0]
    for number in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as stream:
            fields = dict(line.split(":\t", 1) for line in stream.read().splitlines() if ":\t" in line)
        total[0] += int(fields.get("run_time_ns", 0))
        total[1] += int(fields.get("run_cnt", 0))
    return total


@case
def every_run_is_in_it():
    """The price of runs is of the order that the kernel's own clock gives, which does not see how they are dispatched."""
    tool = Tcptop("-o", "json", 60)
    with bpf.run_times_counted():
        pairs()
        counted_ns, _ = kernel_time_ns(tool.pid)
    tool.send(signal.SIGINT)
    tool.expect(0)
    (last,) = intervals(tool)
    check(last["program_runs"] >= 2 * PAIRS, f"runs: {last['program_runs']} of {2 * PAIRS}")
    ratio = last["cost_programs_ns"] / counted_ns
    print(f"{last['cost_programs_ns'] / last['program_runs']:.0f} ns a call, {ratio:.2f} of what the kernel's clock says")
    check(0.25 < ratio < 8, f"{last['cost_programs_ns']} ns, the kernel: {counted_ns}")
    check(last["cost_ns"] > last["cost_programs_ns"], f"nothing for the process itself: {last}")


def cpu_ns(pid):
    """Of a process's threads that live."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as stream:
            total += int(stream.read().split()[0])
    return total


def children(pid):
    found = []
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as stream:
            found += map(int, stream.read().split())
    return found


@case
def children_are_in_it():
    """Files are written by children, which here take about as much as tcptop itself does."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "o.json")
        tool = Tcptop("-o", "json", "--output-file", path, "--textfile", os.path.join(folder, "t.prom"), 0.02, wait=False)

        def lines():
            if not os.path.exists(path):
                return []
            with open(path, encoding="utf-8") as stream:
                return [line for line in map(json.loads, stream) if line["type"] == "interval"]

        wait_for(lambda: len(lines()) > 5, 30, "intervals")
        begin, own_ns = len(lines()), cpu_ns(tool.pid)
        child_ns = sum(map(cpu_ns, children(tool.pid)))
        time.sleep(1.5)
        told = lines()[begin:]
        own_ns, child_ns = cpu_ns(tool.pid) - own_ns, sum(map(cpu_ns, children(tool.pid))) - child_ns
        tool.send(signal.SIGINT)
        tool.expect(0)
    ratio = sum(line["cost_ns"] - line["cost_programs_ns"] for line in told) / (own_ns + child_ns)
    print(f"{own_ns / 1e6:.0f} ms, children {child_ns / 1e6:.0f} ms; it says {ratio:.2f} of both")
    check(child_ns > 0.1 * own_ns, "children that take next to nothing prove nothing")
    check(0.85 < ratio < 1.15, f"{ratio} of what the kernel says")


@case
def filters_turn_runs_away_that_are_paid_for():
    tool = Tcptop("-o", "json", "-p", 1, 60)
    pairs()
    tool.send(signal.SIGINT)
    tool.expect(0)
    (last,) = intervals(tool)
    check(last["program_runs"] >= 2 * PAIRS, f"runs: {last['program_runs']} of {2 * PAIRS}")
    check(last["cost_programs_ns"] > 0, "and cost nothing")


def hooks(tool):
    """Names of the tracepoints that it has programs at."""
    found = set()
    for number in os.listdir(f"/proc/{tool.pid}/fdinfo"):
        with open(f"/proc/{tool.pid}/fdinfo/{number}", encoding="ascii", errors="replace") as stream:
            found |= {line.split("\t")[1].strip() for line in stream if line.startswith("tp_name:")}
    return found


@case
def receives_are_not_followed_in_vain():
    """--no-splice leaves the program out, which is declared, and calls that are counted stay exact."""
    tool = Tcptop("-o", "json", 60)
    follows = "tcp_rcv_space_adjust" in hooks(tool)
    tool.stop()
    tool = Tcptop("-o", "json", "-p", os.getpid(), "--no-splice", 60)
    check("tcp_rcv_space_adjust" not in hooks(tool), f"{hooks(tool)}")
    pairs(100)
    start, *_, last = tool.stop()
    check_equal((last["rx_bytes"], last["tx_bytes"]), (6400, 6400), "bytes")
    if follows:
        check({"splice_out", "zerocopy_receive"} <= set(start["not_counted"]), f"{start['not_counted']}")


@case
def it_stops_above_the_limit():
    over = threading.Event()
    load = threading.Thread(target=pairs, args=(10**9, over))
    load.start()
    try:
        tool = Tcptop("-o", "json", "--max-overhead", "0.001", 0.3, wait=False)
        check_equal(tool.wait(30), 7, "exit code")
    finally:
        over.set()
        load.join()
    check("stopped: it costs" in tool.stderr and "--max-overhead 0.001" in tool.stderr, tool.stderr)
    check_equal(len(intervals(tool)), 3, "two intervals, and what was moved until the end")


def shares(lines):
    return [line["cost_ns"] / 1e9 / line["interval_s"] for line in lines]


@case
def intervals_become_longer():
    """Reading tables a hundred times a second costs more than that; what a longer interval costs is below it."""
    tool = Tcptop("-o", "json", "--max-overhead", "1", 0.01, wait=False)

    def ended():
        return tool.popen.poll() is not None

    wait_for(lambda: "intervals of" in tool.stderr or ended() or len(intervals(tool)) >= 100, 30, "longer intervals")
    told = len(intervals(tool)) if "intervals of" in tool.stderr else 0
    wait_for(lambda: len(intervals(tool)) >= told + 20 or ended(), 30, "twenty more")
    if not ended():
        tool.send(signal.SIGINT)
    code = tool.wait()
    lines = intervals(tool)
    if code == 7:  # the programs alone were above it, as other tests move bytes
        check("stopped" in tool.stderr and len(lines) >= 3, tool.stderr)
        return
    check_equal(code, 0, "exit code")
    if not told:  # on a busy machine intervals are longer than was asked for
        check(all(share <= 0.01 for share in shares(lines[:-1])), f"nothing was done: {shares(lines)}")
        return
    later, lengths = lines[told + 2 : -1], [line["interval_s"] for line in lines[:told]]
    length, cost = statistics.median(line["interval_s"] for line in later), statistics.median(shares(later))
    print(f"{min(lengths)} s became {length} s; cost then {cost:.2%}")
    check(length > 1.2 * min(lengths), f"{lengths}, then {length}")
    check(cost <= 0.01, f"half of the intervals cost more: {cost:.2%}")


if __name__ == "__main__":
    sys.exit(main(60))
