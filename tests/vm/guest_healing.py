#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What skipped runs had not counted stands in the rows at last, of connections that stay open and of those that end: sequence numbers tell it."""
import ctypes
import os
import sys
import time

from guest_load import MESSAGE, SECONDS, SLEEPER_BYTES, SLEEPERS, THREADS, missing_bytes, sleeping_pairs, wake_all

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from live import Mover, Tcptop, case, check, check_equal, check_totals, intervals, main, sessions, wait_for  # noqa: E402

SYS_PIDFD_GETFD = 438
ROUNDS = 5
FEW_MISSED = 1000  # of runs, so many may be of other sockets
ENDING_INTERVAL_S = 0.5  # without a pass in many of them, on a slow machine
LATE_S = 11  # of one that a process still had when it ended, later calls are waited for


def take_sockets(pids):
    """Descriptors of the connections that these processes have, so that they stay open."""
    libc = ctypes.CDLL(None, use_errno=True)
    taken = []
    for pid in pids:
        process = os.pidfd_open(pid)
        for number in os.listdir(f"/proc/{pid}/fd"):
            if os.readlink(f"/proc/{pid}/fd/{number}").startswith("socket:"):
                taken.append(libc.syscall(SYS_PIDFD_GETFD, process, int(number), 0))
        os.close(process)
    return taken


def quiet_passes(tcptop, count):
    """Waits for so many more over sockets: a slow machine takes one in some intervals alone."""
    def passes():
        return len([line for line in intervals(tcptop.lines()) if line.get("sockets_cpu_ns")])

    seen = passes()
    wait_for(lambda: passes() >= seen + count, 60, "passes")


@case
def calls_beyond_the_places_of_a_kretprobe():
    tcptop = Tcptop("-a", "-o", "json", "1")
    quiet_passes(tcptop, 1)
    pairs = sleeping_pairs()
    quiet_passes(tcptop, 3)
    wake_all(pairs, lambda receiver: receiver.recv(SLEEPER_BYTES))
    quiet_passes(tcptop, 4)
    lines = tcptop.stop()
    last = intervals(lines)[-1]
    missed = sum(x["missed_runs"] for x in intervals(lines))
    healed = last.get("healed_bytes", 0)
    print(f"# {missed} missed_runs, {healed} bytes healed", flush=True)
    received = sum(line["rx_bytes"] for line in sessions(lines, {os.getpid()}))
    check_totals(lines)
    check_equal(received, SLEEPERS * SLEEPER_BYTES, "received bytes")
    check_equal(last.get("unexplained_bytes"), 0, "unexplained bytes")
    check("many_waiting_calls" not in last["not_counted"] or healed >= SLEEPER_BYTES, "nothing was healed")


@case
def runs_that_were_preempted():
    tcptop = Tcptop("-a", "-o", "json", "1")
    quiet_passes(tcptop, 1)
    mover = Mover("threads", "--threads", THREADS, "--seconds", SECONDS, "--size", MESSAGE, "--hold")
    mover.wait_event("holding")
    taken = take_sockets({x["pid"] for x in mover.lines() if x.get("event") == "connected"})
    check(len(taken) >= 2 and min(taken) >= 0, f"sockets taken: {taken}")
    quiet_passes(tcptop, 3)
    mover.release()
    truth = mover.truth()
    quiet_passes(tcptop, 4)
    lines = tcptop.stop()
    check_totals(lines)
    missing = missing_bytes(lines, truth)
    last = intervals(lines)[-1]
    missed = sum(x["missed_runs"] for x in intervals(lines))
    unexplained, healed = last.get("unexplained_bytes"), last.get("healed_bytes", 0)
    print(f"# {missed} missed_runs, {healed} bytes healed, {missing} missing, {unexplained} unexplained", flush=True)
    check_equal(missing, [0, 0], "missing bytes, received and sent")
    check(missed == 0 or healed >= MESSAGE, "nothing was healed")


@case
def connections_that_end():
    """Each lives for a second, and is not there any more when what it misses is known."""
    tcptop = Tcptop("-a", "--connections", "-o", "json", ENDING_INTERVAL_S)
    quiet_passes(tcptop, 1)
    truth = {}
    for _ in range(ROUNDS):
        truth.update(Mover("threads", "--threads", THREADS, "--seconds", 1, "--size", MESSAGE).truth())
    time.sleep(LATE_S)
    quiet_passes(tcptop, 4)
    lines = tcptop.stop()
    check_totals(lines)
    missing = missing_bytes(lines, truth)
    last = intervals(lines)[-1]
    missed = sum(x["missed_runs"] for x in intervals(lines))
    moved = [sum(counts[direction] for counts in truth.values()) for direction in (0, 1)]
    unexplained, healed = last.get("unexplained_bytes"), last.get("healed_bytes", 0)
    passes = [bool(x.get("sockets_cpu_ns")) for x in intervals(lines)]
    print(f"# passes in {sum(passes)} of {len(passes)} intervals, {len(truth)} ends, {moved} bytes moved, {missed} missed_runs, "
          f"{healed} bytes healed, {missing} missing, {unexplained} unexplained", flush=True)
    check_equal(missing, [0, 0], "missing bytes, received and sent")
    check_equal(unexplained, 0, "unexplained bytes")
    check(missed < FEW_MISSED or healed >= MESSAGE, "nothing was healed")
    check(missed or not healed, f"{healed} bytes healed, and no run was missed")


if __name__ == "__main__":
    sys.exit(main(limit=30))
