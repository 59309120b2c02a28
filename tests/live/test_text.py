#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The classic text: its shape to the byte, and the same bytes as kilobytes in its rows."""
import os
import re
import sys
import time

from live import Tcptop, case, check, check_equal, held_flows, main, move, seconds

HEADER4 = "PID    COMM         LADDR                 RADDR                  RX_KB  TX_KB"
HEADER6 = (
    "PID    COMM         LADDR6                           RADDR6                          " "  RX_KB  TX_KB"
)
SUMMARY = re.compile(r"\d\d:\d\d:\d\d loadavg: \d+\.\d\d \d+\.\d\d \d+\.\d\d \d+/\d+ \d+")


def interval_lines(text, summary=True):
    """Checks the shape of all of the text and returns [(IPv4 rows, IPv6 rows)] of the intervals."""
    lines = text.split("\n")
    check_equal(lines[-1], "", "what follows the last newline")
    check(
        re.fullmatch(r"Tracing\.\.\. Output every \S+ secs\. Hit Ctrl-C to end", lines[0]),
        f"begins {lines[0]!r}",
    )
    found, at = [], 1
    while at < len(lines) - 1:
        check_equal(lines[at], "", f"line {at + 1}")
        at += 1
        if summary:
            check(SUMMARY.fullmatch(lines[at]), f"line {at + 1} is no summary: {lines[at]!r}")
            check_equal(lines[at + 1], "", f"line {at + 2}")
            at += 2
        rows4, at = table(lines, at, HEADER4, 21)
        rows6 = []
        if lines[at] == "" and at + 1 < len(lines) and lines[at + 1] == HEADER6:
            rows6, at = table(lines, at + 1, HEADER6, 32)
        found.append((rows4, rows6))
    return found


def format_row(pid, comm, local, remote, rx_kb, tx_kb, width):
    """The widths are the least: what is longer widens its row."""
    return f"{pid:<6} {comm:<12.12} {local:<{width}} {remote:<{width}} {rx_kb:>6} {tx_kb:>6}"


def is_row(line, width):
    found = re.match(r"(\d+) +", line)
    if not found:
        return False
    comm_at = max(len(found[1]), 6) + 1
    rest = line[comm_at + 13 :].split()
    return len(rest) == 4 and line == format_row(found[1], line[comm_at : comm_at + 12], *rest, width)


def table(lines, at, header, width):
    rows = []
    if lines[at] != header:
        return rows, at
    at += 1
    while lines[at]:
        check(is_row(lines[at], width), f"line {at + 1} is no row: {lines[at]!r}")
        rows.append(lines[at])
        at += 1
    check(rows, "a header without rows")
    totals = [sum(map(int, row.split()[-2:])) for row in rows]
    # ordered by bytes: the sum of two floored numbers may be out of order by one
    check(
        all(later <= earlier + 1 for earlier, later in zip(totals, totals[1:])),
        f"order of the rows: {totals}",
    )
    return rows, at


def expected_row(session, counts, comm):
    pid, family, laddr, lport, raddr, rport, *_ = session
    return format_row(
        pid,
        comm,
        f"{laddr}:{lport}",
        f"{raddr}:{rport}",
        counts[0] // 1024,
        counts[1] // 1024,
        21 if family == 4 else 32,
    )


@case
def rows_to_the_byte():
    """One long interval, ended by Ctrl-C: each flow's rows are exactly these."""
    flows = (
        (["--bytes", 1000003], None),
        (["--bytes", 2097151, "-6"], None),
        (["--bytes", 1023, "--mapped"], None),
    )
    with held_flows(*flows) as (movers, release):
        pids = ",".join(str(pid) for mover in movers for pid in mover.pids())
        tcptop = Tcptop("-C", "-p", pids, "600")
        release()
        truths = [mover.truth() for mover in movers]
        receivers = {pid for mover in movers for pid in mover.pids("receiver")}
    found = interval_lines(tcptop.stop_text())
    check_equal(len(found), 1, "intervals")
    expected = [set(), set()]
    for truth in truths:
        for session, counts in truth.items():
            comm = "flow-receiver" if session[0] in receivers else "flow-sender"
            expected[session[1] == 6].add(expected_row(session, counts, comm))
    check_equal(set(found[0][0]), expected[0], "IPv4 rows")
    check_equal(set(found[0][1]), expected[1], "IPv6 rows")


@case
def two_intervals():
    """-C 1 2: two of a second each, then it ends by itself."""
    start = time.monotonic()
    tcptop = Tcptop("-C", "1", "2")
    move("flow", "--bytes", 100003)
    text = tcptop.expect(0).stdout.decode()
    took = time.monotonic() - start
    check_equal(len(interval_lines(text)), 2, "intervals")
    check(text.startswith("Tracing... Output every 1 secs. Hit Ctrl-C to end\n\n"), f"begins {text[:60]!r}")
    check(2 <= took < 2 + seconds(3), f"took {took:.1f} s")


@case
def no_summary():
    tcptop = Tcptop("-C", "-S", "0.5", "2", wait=False)
    move("flow", "--bytes", 100003)
    text = tcptop.expect(0).stdout.decode()
    check("loadavg" not in text, "the summary is there")
    check(text.startswith("Tracing... Output every 0.5 secs. Hit Ctrl-C to end\n\n"), f"begins {text[:60]!r}")
    check_equal(len(interval_lines(text, summary=False)), 2, "intervals")


@case
def quiet_interval():
    """No session: the summary alone, and with -S an empty line alone."""
    for more, pattern in (((), SUMMARY.pattern + r"\n\n"), (("-S",), "")):
        tcptop = Tcptop("-C", *more, "-p", os.getpid(), "0.1", "2", wait=False)
        text = tcptop.expect(0).stdout.decode()
        check(re.fullmatch(r"Tracing\.\.\. [^\n]*\n(\n" + pattern + r"){2}", text), f"{more}: {text!r}")


@case
def local_time():
    """The summary's time is the local one."""
    tcptop = Tcptop("-C", "-p", os.getpid(), "0.1", "1", wait=False, env=os.environ | {"TZ": "Asia/Kathmandu"})
    text = tcptop.expect(0).stdout.decode()
    hours, minutes = map(int, re.search(r"^(\d\d):(\d\d):", text, re.M).groups())
    now = time.gmtime(time.time() + 20700)
    late = (now.tm_hour * 60 + now.tm_min - hours * 60 - minutes) % 1440
    check(
        late <= 1 + seconds(1) / 60,
        f"{hours}:{minutes:02} in Kathmandu, where it is {now.tm_hour}:{now.tm_min:02}",
    )


if __name__ == "__main__":
    sys.exit(main())
