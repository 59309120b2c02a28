#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Eight threads write 64-byte messages on one socket without pause, on two processors; or four on each side.

Nothing may be missing by the method that is taken unasked, nor by any where tasks in the kernel interrupt each other
only when they wait. Where they are preempted, runs of programs are skipped: those of fentry and of typed tracepoints
are counted by the kernel, those of kprobes by the programs, as far as nobody else reads or writes BPF maps. What is
missing must be explained by what is reported as missed.
"""
import os
import re
import socket
import sys

from guest_load import MESSAGE, SECONDS, SLEEPER_BYTES, SLEEPERS, THREADS, missing_bytes, sleeping_pairs, wake_all
from guest_preemption import preemption

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from live import (  # noqa: E402
    ARGUMENTS,
    Mover,
    Tcptop,
    case,
    check,
    check_equal,
    check_totals,
    descriptors,
    intervals,
    main,
    sessions,
)

BOTH_THREADS = 4  # that send on each side, and as many that receive
LEAST_MESSAGES = 10000  # below that it was no stress
DATAGRAM_BYTES = 601
DECLARED = "preempted_runs"
TYPE_KPROBE, TYPE_TRACING = 2, 26  # enum bpf_prog_type


def preemptible():
    return preemption() in ("full", "lazy")


def kprobes_lose():
    """Before 6.1, one processor's call that returns hinders the other's."""
    return "kprobe" in ARGUMENTS and os.uname().release.startswith("5.")


def check_declared_busy(last):
    check_equal("busy_returns" in last["not_counted"], kprobes_lose(), "busy_returns declared")


def must_be_exact():
    return "auto" in ARGUMENTS


def kernel_misses(pid):
    """Skipped runs that the kernel counted in the programs of a process: missed_runs and ends_lost, but of kprobes.

    Typed programs beside those of kprobes only stand by for them: what they miss is counted elsewhere.
    """
    counts = {}
    for number in descriptors(pid):
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as stream:
            found = dict(re.findall(r"^(\w+):\s+(\d+)$", stream.read(), re.M))
        if "recursion_misses" in found:
            counts[found["prog_id"]] = (int(found["prog_type"]), int(found["recursion_misses"]))
    types = {type for type, _ in counts.values()}
    standby = {TYPE_TRACING} if TYPE_KPROBE in types else set()
    return sum(misses for type, misses in counts.values() if type not in standby)


def stressed(interval, arguments):
    """(lines, truth, skipped runs, what stands on stderr)"""
    tcptop = Tcptop("-o", "json", "-v", interval)
    truth = Mover("threads", *arguments, "--seconds", SECONDS, "--size", MESSAGE).truth()
    misses = kernel_misses(tcptop.pid)
    return tcptop.stop(), truth, misses, tcptop.stderr


def check_missing(missing, reported, misses, ends):
    """ends: calls that receive the stream's end, and may be among those that were missed."""
    if "kprobe" in ARGUMENTS:
        check(
            sum(missing) <= reported * MESSAGE,
            f"missing bytes, received and sent: {missing}, for {reported} missed_runs",
        )
        return
    check_equal(reported, misses, "missed_runs, of which the kernel counts")
    check(
        (reported - ends) * MESSAGE <= sum(missing) <= reported * MESSAGE,
        f"missing bytes, received and sent: {missing}, for {reported} missed_runs of {MESSAGE} bytes",
    )


def check_stress(interval, arguments, ends):
    lines, truth, misses, stderr = stressed(interval, arguments)
    check_totals(lines)
    missing = missing_bytes(lines, truth)
    reported = sum(x["missed_runs"] for x in intervals(lines))
    misses -= sum(x.get("ends_lost", 0) for x in intervals(lines))
    last = intervals(lines)[-1]
    declared = DECLARED in last["not_counted"]
    received, sent = (sum(counts[direction] for counts in truth.values()) for direction in (0, 1))
    print(
        f"# by {last['probe']}, {sent // MESSAGE} messages of {MESSAGE} bytes: of {sent} sent bytes {missing[1]} are "
        f"missing, of {received} received {missing[0]}; {reported} missed_runs reported, the kernel counts {misses}",
        flush=True,
    )
    check(sent >= LEAST_MESSAGES * MESSAGE, f"no stress: {sent} bytes were sent")
    check_equal(f"({DECLARED})" in stderr, declared, f"{DECLARED} on stderr {stderr!r}")
    if last["probe"] == "fentry":
        check_equal(declared, preemptible(), f"{DECLARED} declared")
    check(preemptible() or not declared, f"{DECLARED} declared where nothing is preempted")
    check_declared_busy(last)
    if (declared or kprobes_lose()) and not must_be_exact():
        check_missing(missing, reported, misses, ends)
    else:
        check_equal(missing, [0, 0], "missing bytes, received and sent")
        check_equal(reported, 0, "missed_runs")


@case
def threads_without_pause():
    check_stress("1", ["--threads", THREADS], 0)


@case
def threads_without_pause_10_ms():
    """Reading the tables is what kprobes are skipped for."""
    check_stress("0.01", ["--threads", THREADS], 0)


@case
def both_directions_10_ms():
    check_stress("0.01", ["--threads", BOTH_THREADS, "--both"], 2 * BOTH_THREADS)


def receive_both(receiver, datagrams):
    """A receive by another protocol, in the same kernel function, must not be taken for the one that was missed."""
    receiver.recv(SLEEPER_BYTES)
    if not datagrams.recv(DATAGRAM_BYTES):
        raise RuntimeError("an empty datagram")


def open_datagrams():
    """A socket with a datagram of its own in its queue."""
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 0))
    datagrams.sendto(b"x" * DATAGRAM_BYTES, datagrams.getsockname())
    return datagrams


@case
def sleeping_calls():
    """More threads wait in one receive each than a kretprobe has instances (10): each is counted, or reported."""
    pairs = sleeping_pairs()
    tcptop = Tcptop("-o", "json", "-p", os.getpid(), "1")
    wake_all(pairs, lambda receiver: receive_both(receiver, open_datagrams()))
    lines = tcptop.stop()
    missing = SLEEPERS * SLEEPER_BYTES - sum(line["rx_bytes"] for line in sessions(lines, {os.getpid()}))
    reported = sum(x["missed_runs"] for x in intervals(lines))
    print(
        f"# {SLEEPERS} waiting receives: {missing} bytes missing, {reported} missed_runs reported", flush=True
    )
    check_totals(lines)
    not_counted = intervals(lines)[-1]["not_counted"]
    waiting_lost = "many_waiting_calls" in not_counted
    check("kprobe" in ARGUMENTS or not waiting_lost, "many_waiting_calls declared")
    if preemptible() and not must_be_exact():
        # Of what was missed, some may have been a send, or of a program that only stood by.
        check(missing <= reported * SLEEPER_BYTES, f"{missing} received bytes missing, for {reported} missed_runs")
    else:
        check_equal(missing, reported * SLEEPER_BYTES, f"missing received bytes, for {reported} missed_runs")
    check(waiting_lost or DECLARED in not_counted or not missing, f"{missing} bytes are missing")


if __name__ == "__main__":
    sys.exit(main(limit=30))
