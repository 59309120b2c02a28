#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Link-local addresses that are equal on two links: the interface tells them apart, in JSON and in text."""
import json
import os
import re
import sys

from live import (
    Tcptop,
    case,
    check,
    check_equal,
    check_totals,
    main,
    replay,
    sessions,
)
from scripted import Scripted

SENT, RECEIVED = "tx_bytes", "rx_bytes"


def ends(lines, pid, direction):
    """{(index, name): bytes} of the sender's or the receiver's ends."""
    found = {}
    for line in sessions(lines, {pid}):
        check_equal(line["laddr"], "fe80::1" if line["lport"] == 4000 else "fe80::2", "laddr")
        if line[direction]:
            key = line["ifindex"], line.get("ifname")
            found[key] = found.get(key, 0) + line[direction]
    return found


def expect_two_rows(lines, links, moved, named):
    check_totals(lines)
    expected = {(index, name if named else None): size for name, index, size in moved}
    check_equal(ends(lines, links.pid, SENT), expected, "sent by link")
    received = ends(lines, links.pid, RECEIVED)
    check_equal(sorted(received.values()), [10000, 50000], "received by link")
    check(not {key[0] for key in received} & {key[0] for key in expected}, "the peers' ends are others")


@case
def rows_and_names():
    """In tcptop's own network namespace: two rows, with the names of the links, also when they are recorded."""
    links = Scripted("two_links.py")
    tcptop = Tcptop("-o", "json", "0.2", prepare=links.inside)
    moved = links.ask("move")
    lines = tcptop.stop()
    expect_two_rows(lines, links, moved, named=True)
    check_equal({x.get("ifname") for x in sessions(lines, {links.pid})} >= {"ll-b\x1b\x07"}, True, "odd name")
    replayed = [json.loads(line) for line in replay(lines, "-o", "json").splitlines()]
    expect_two_rows(replayed, links, moved, named=True)
    text = replay(lines, "-o", "text")
    check("fe80::1%ll-a:4000" in text, f"the replayed text: {text}")
    links.close()


@case
def text():
    """As it is printed: the zone behind each link-local address, odd names escaped."""
    links = Scripted("two_links.py")
    tcptop = Tcptop("-C", "0.2", prepare=links.inside)
    links.ask("move")
    printed = tcptop.stop_text()
    rows = [line.split() for line in printed.splitlines() if line.startswith(f"{links.pid} ")]
    found = {(row[2], row[3], row[5]) for row in rows if ":4000" in row[2]}
    expected = {
        ("fe80::1%ll-a:4000", "fe80::2%ll-a:8000", "9"),
        ("fe80::1%ll-b\\x1b\\x07:4000", "fe80::2%ll-b\\x1b\\x07:8000", "48"),
    }
    check_equal(found, expected, "the sender's rows")
    links.close()


@case
def another_namespace():
    """Names of another network namespace are not this one's: the index stands for them."""
    links = Scripted("two_links.py")
    tcptop = Tcptop("-o", "json", "0.2")
    moved = links.ask("move")
    lines = tcptop.stop()
    expect_two_rows(lines, links, moved, named=False)
    text = replay(lines, "-o", "text")
    for _, index, _ in moved:
        check(re.search(rf" fe80::1%{index}:4000 ", text), f"no zone {index}: {text}")
    links.close()


@case
def renamed():
    """A link that gets another name while tcptop runs."""
    links = Scripted("two_links.py")
    tcptop = Tcptop("-o", "json", "0.2", prepare=links.inside)
    before = links.ask("move")
    links.ask("rename")
    after = links.ask("move")
    lines = tcptop.stop()
    names = {name for _, name in ends(lines, links.pid, SENT)}
    check(names >= {after[0][0], after[1][0]}, f"names {names}")
    sums = {}
    for (index, _), size in ends(lines, links.pid, SENT).items():
        sums[index] = sums.get(index, 0) + size
    check_equal(sums, {index: 2 * size for _, index, size in before}, "sent by link")
    links.close()


@case
def filters():
    """The filters of the start choose among such rows as among others."""
    links = Scripted("two_links.py")
    mine = Tcptop("-o", "json", "-6", "-p", links.pid, "0.2", prepare=links.inside)
    other = Tcptop("-o", "json", "-p", os.getpid(), "0.2", prepare=links.inside)
    only4 = Tcptop("-o", "json", "-4", "0.2", prepare=links.inside)
    first = Tcptop("-o", "json", "--host", "fe80::1%ll-a", "0.2", prepare=links.inside)
    rest = Tcptop("-o", "json", "--host", "!fe80::1%ll-a", "-p", links.pid, "0.2", prepare=links.inside)
    moved = links.ask("move")
    expect_two_rows(mine.stop(), links, moved, named=True)
    check_equal(sessions(other.stop(), {links.pid}), [], "rows of another PID")
    check_equal(sessions(only4.stop(), {links.pid}), [], "rows of IPv4")
    by_link = {index: size for _, index, size in moved}
    index = next(index for name, index, _ in moved if name == "ll-a")
    for tcptop, expected in ((first, {index: by_link[index]}), (rest, {x: by_link[x] for x in by_link if x != index})):
        sent = {key[0]: size for key, size in ends(tcptop.stop(), links.pid, SENT).items()}
        check_equal(sent, expected, f"sent by link with {tcptop.command}")
    links.close()


if __name__ == "__main__":
    sys.exit(main(limit=90))
