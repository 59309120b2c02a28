#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every data path of `tcptop-check list`, to the byte, or declared by the run as not counted."""
import subprocess
import sys

from live import (
    EXIT_SKIPPED,
    KEY,
    Failed,
    Mover,
    Tcptop,
    case,
    check,
    check_totals,
    compare,
    intervals,
    main,
    program,
    sessions,
    sum_sessions,
)

RECEIVED, SENT = 0, 1
# Where a blind spot hides bytes, each (side, direction); everything else of the path is still exact.
EXCUSED = ("receiver", RECEIVED)
BLOCKED = {"blocked_recv": ("receiver", RECEIVED), "blocked_send": ("sender", SENT)}


def paths():
    """The list of tcptop-check: (id, title, reason why it cannot run here or None, blind spots that excuse it)."""
    output = subprocess.run([program("CHECK"), "list"], check=True, capture_output=True, text=True).stdout
    for line in output.splitlines():
        identifier, _, title, state, excuses = line.split("\t")
        yield identifier, title, None if state == "available" else state, excuses.split(",")


def judge(mover, lines, excuses):
    """(outcome, reason) of a path that was moved. excuses: blind spot to (side, direction)"""
    moved = [line for line in mover.lines() if "event" not in line and "side" in line]
    truth = sum_sessions(moved)
    declared = {excuses[x]: x for x in intervals(lines)[-1]["not_counted"] if x in excuses}
    found = sum_sessions(sessions(lines, {key[0] for key in truth}))
    sides = {}
    for line in moved:
        sides.setdefault(next(iter(sum_sessions([line]))), line["side"])
    for key, counts in found.items():
        for direction in (RECEIVED, SENT):
            if key in truth and (sides[key], direction) in declared:
                check(
                    counts[direction] <= truth[key][direction],
                    f"counted {counts[direction]} where {truth[key][direction]} were moved",
                )
                counts[direction] = truth[key][direction]
    for key in truth.keys() - found.keys():
        if all((sides[key], d) in declared or not truth[key][d] for d in (RECEIVED, SENT)):
            found[key] = truth[key]
    rows = [dict(zip(KEY, key), type="session", rx_bytes=rx, tx_bytes=tx) for key, (rx, tx) in found.items()]
    compare(rows, truth)
    check_names(lines, moved)
    if declared:
        names = ", ".join(sorted(set(declared.values())))
        what = " and ".join(sorted({("received", "sent")[d] for _, d in declared}))
        return "skipped", f"{what} bytes are declared as not counted ({names}); all others are exact"
    return "passed", ""


def check_names(lines, moved):
    """The process's name at the start or at the end of the session, or one in between if it changed."""
    expected = {}
    for line in moved:
        expected.setdefault(line["pid"], set()).update((line["comm"], line["comm_last"]))
    for line in sessions(lines, expected):
        names = expected[line["pid"]]
        check(
            line["comm"] in names or len(names) > 1,
            f"PID {line['pid']} is {line['comm']!r}, expected {names}",
        )


@case
def path():
    """All paths below one run of the tool."""
    todo = list(paths())
    tcptop = Tcptop("-o", "json", "0.2")
    movers = {}
    for identifier, _, reason, _ in todo:
        if reason:
            continue
        movers[identifier] = Mover("move", identifier)
        movers[identifier].wait()
    lines = tcptop.stop()
    check_totals(lines)
    check(sum(x["other_calls"] for x in intervals(lines)) == 0, "the table was full")
    for identifier, title, reason, excuses in todo:
        if reason:
            yield "skipped", identifier, reason
            continue
        mover = movers[identifier]
        code = mover.popen.returncode
        if code == EXIT_SKIPPED:
            yield "skipped", identifier, mover.lines()[-1]["skipped"]
        elif code:
            yield "failed", identifier, f"the mover ended with {code}: {mover.stderr.strip()}"
        else:
            yield outcome(identifier, mover, lines, dict.fromkeys(excuses, EXCUSED), title)


def outcome(identifier, mover, lines, excuses, title):
    try:
        result, text = judge(mover, lines, excuses)
    except Failed as reason:
        result, text = "failed", f"{title}: {reason}"
    return result, identifier, text


@case
def before_start():
    """The tool starts when the connections exist and, for the blocked ones, a call is already waiting."""
    excused = {identifier: dict.fromkeys(excuses, EXCUSED) for identifier, _, _, excuses in paths()}
    for identifier in (
        "blocking",
        "blocked_recv",
        "blocked_send",
        "splice_out",
        "splice_proxy",
        "zerocopy_mapped",
    ):
        mover = Mover("move", identifier, "--hold").wait_event("holding")
        tcptop = Tcptop("-o", "json", "0.2")
        mover.release()
        mover.expect(0)
        lines = tcptop.stop()
        if identifier in BLOCKED:
            excused[identifier]["call_before_start"] = BLOCKED[identifier]
        yield outcome(identifier, mover, lines, excused[identifier], "moved after the start")


if __name__ == "__main__":
    sys.exit(main(limit=120))
