#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""More sessions than the table holds: none of their bytes are lost, and those that are listed are exact."""
import re
import sys

from live import (
    Tcptop,
    case,
    check,
    check_equal,
    check_totals,
    held_flows,
    intervals,
    main,
    sessions,
    sum_sessions,
)

CONNECTIONS, TABLE, BYTES = 12000, 4096, 1009


def run(*arguments, interval):
    """Only the flow's processes are traced: whatever else runs on this host has no part in the sums."""
    with held_flows((["--connections", CONNECTIONS, "--bytes", BYTES], None)) as ((mover,), release):
        pids = ",".join(map(str, mover.pids()))
        tcptop = Tcptop(*arguments, "-p", pids, "--max-sessions", TABLE, interval)
        release()
        truth = mover.truth()
    return tcptop, truth


def check_sums(lines, truth):
    check_equal(len(truth), 2 * CONNECTIONS, "sessions moved")
    check_totals(lines)
    total = intervals(lines)
    check_equal(
        [sum(x["rx_bytes"] for x in total), sum(x["tx_bytes"] for x in total)],
        [CONNECTIONS * BYTES, CONNECTIONS * BYTES],
        "listed and other bytes, received and sent",
    )


@case
def one_interval():
    tcptop, truth = run("-o", "json", interval="600")
    lines = tcptop.stop()
    check_sums(lines, truth)
    listed = sum_sessions(sessions(lines))
    check_equal(len(listed), TABLE, "sessions listed")
    wrong = [key for key, counts in listed.items() if truth.get(key) != counts]
    check(not wrong, f"{len(wrong)} of the listed sessions are not exact: {wrong[:2]}")
    last = intervals(lines)[-1]
    rest = 2 * CONNECTIONS - TABLE
    check(last["other_calls"] >= rest, f"other_calls {last['other_calls']}, expected at least {rest}")
    check_equal(last["other_rx_bytes"] + last["other_tx_bytes"], rest * BYTES, "the others' bytes")


@case
def short_intervals():
    """Each interval begins with an empty table, and with others counted from 0."""
    tcptop, truth = run("-o", "json", interval="0.02")
    check_sums(tcptop.stop(), truth)


@case
def text_says_so():
    tcptop, _ = run("-C", interval="600")
    tcptop.stop_text()
    found = re.search(
        r"table full.*received (\d+) and sent (\d+) bytes in (\d+) calls.*--max-sessions", tcptop.stderr
    )
    check(found, f"stderr does not tell of other sessions: {tcptop.stderr!r}")
    check_equal(int(found[1]) + int(found[2]), (2 * CONNECTIONS - TABLE) * BYTES, "the others' bytes")
    check("full" not in tcptop.stdout.decode(), "losses stand in the classic text")


if __name__ == "__main__":
    sys.exit(main())
