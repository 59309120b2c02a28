#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every byte falls in exactly one interval: their sum is the truth, for each of several tools."""
import sys

from live import (
    SLOWNESS,
    Mover,
    Tcptop,
    case,
    check,
    check_exact,
    compare,
    intervals,
    main,
    sessions,
    sum_sessions,
)

SECONDS = 10 if SLOWNESS == 1 else 3


def run(tools, duration):
    """Threads write on one socket at full speed while the tools swap their tables: (lines, truth)."""
    running = [Tcptop("-o", "json", interval) for interval in tools]
    mover = Mover("threads", "--threads", 4, "--seconds", duration, "--size", 64)
    truth = mover.truth()
    return [tcptop.stop() for tcptop in running], truth


def check_spread(lines, truth, least):
    """Otherwise nothing was tested: the traffic has to lie in several intervals, however late they come."""
    busy = [x for x in intervals(lines) if x["rx_bytes"]]
    check(len(busy) >= least, f"the traffic fell in {len(busy)} intervals")
    check(sum(rx for rx, _ in truth.values()) > 100000, "hardly anything was moved")


@case
def interval_of_a_second():
    (lines,), truth = run(["1"], SECONDS)
    check_spread(lines, truth, 2)
    check_exact(lines, truth)


@case
def interval_of_10_ms():
    (lines,), truth = run(["0.01"], SECONDS)
    check_spread(lines, truth, 10)
    check_exact(lines, truth)


@case
def four_at_once():
    """Equal counts in all, whatever their intervals are."""
    results, truth = run(["0.05", "0.1", "0.3", "1"], 2)
    for lines in results:
        check_exact(lines, truth)
    pids = {key[0] for key in truth}
    sums = [sum_sessions(sessions(lines, pids)) for lines in results]
    check(all(x == sums[0] for x in sums), f"the counts differ: {sums}")


@case
def many_connections_across_intervals():
    """Entries are created and drained all the time: short connections of eight pairs of processes."""
    tcptop = Tcptop("-o", "json", "0.01")
    movers = [Mover("flow", "--processes", 2, "--connections", 100, "--bytes", 10007) for _ in range(4)]
    truths = [mover.truth() for mover in movers]
    lines = tcptop.stop()
    for truth in truths:
        compare(lines, truth)
    check_exact(lines, truths[0])


if __name__ == "__main__":
    sys.exit(main(limit=90))
