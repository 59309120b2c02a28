#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exact bytes by family and process; what a session's line says beside them."""
import datetime
import json
import os
import subprocess
import sys

from live import (
    KEY,
    Mover,
    Tcptop,
    case,
    check,
    check_equal,
    check_exact,
    intervals,
    main,
    merge,
    move,
    sessions,
    unshare_mounts,
)


def exact(*arguments):
    tcptop = Tcptop("-o", "json", "0.2")
    truth = move("flow", "--bytes", 1000003, *arguments)
    lines = tcptop.stop()
    check_exact(lines, truth)
    return lines, truth


@case
def ipv4():
    _, truth = exact()
    check_equal({key[1] for key in truth}, {4}, "families")
    check_equal(sum(rx for rx, _ in truth.values()), 1000003, "what the mover moved")


@case
def ipv6():
    lines, truth = exact("-6")
    found = sessions(lines, {key[0] for key in truth})
    check_equal({(x["family"], x["laddr"], x["raddr"]) for x in found}, {(6, "::1", "::1")}, "addresses")


@case
def ipv4_mapped():
    """An IPv4-mapped IPv6 connection is IPv4 traffic."""
    lines, truth = exact("--mapped")
    found = sessions(lines, {key[0] for key in truth})
    check_equal({(x["family"], x["laddr"]) for x in found}, {(4, "127.0.0.1")}, "addresses")


@case
def several_processes():
    """Nine pairs of processes with some connections each, of three families at once.

    No more: a kretprobe holds ten waiting calls, and all receivers may wait at once (guest_stress.py has more).
    """
    tcptop = Tcptop("-o", "json", "0.1")
    movers = [
        Mover("flow", "--bytes", size, "--processes", 3, "--connections", 13, *more)
        for size, more in ((10007, ()), (20011, ("-6",)), (30011, ("--mapped",)))
    ]
    truth = merge(*(mover.truth() for mover in movers))
    lines = tcptop.stop()
    check_equal(len(truth), 3 * 2 * 3 * 13, "sessions moved")
    check_exact(lines, truth)


@case
def half_close():
    """Data read when the connection has gone to TIME_WAIT stands under its local port, never under 0."""
    tcptop = Tcptop("-o", "json", "0.2")
    truth = move("move", "half_close")
    lines = tcptop.stop()
    check(all(0 not in (key[3], key[5]) for key in truth), "the mover's own ports")
    check_exact(lines, truth)
    check(all(x["lport"] and x["rport"] for x in sessions(lines, {k[0] for k in truth})), "a port is 0")


@case
def pid_reuse():
    """Two processes, one after the other under one PID: both are there, each with its bytes."""
    for gap_ms in (1, 500):  # within an interval, and with some between
        tcptop = Tcptop("-o", "json", "0.2")
        truth = move("pidreuse", "--gap-ms", gap_ms)
        check_exact(tcptop.stop(), truth)


@case
def two_network_namespaces():
    """Equal PID, addresses and ports in two network namespaces: four sessions, not two."""
    tcptop = Tcptop("-o", "json", "0.2")
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "two_namespaces.py")
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    lines = tcptop.stop()
    check(result.returncode == 0, f"the mover failed: {result.stderr}")
    truth = json.loads(result.stdout)
    found = [x for x in lines if x["type"] == "session" and x["pid"] == truth["pid"]]
    for netns, size in truth["moved"]:
        here = [x for x in found if x["netns"] == netns]
        check_equal(sum(x["tx_bytes"] for x in here), size, f"sent in namespace {netns}")
        check_equal(sum(x["rx_bytes"] for x in here), size, f"received in namespace {netns}")
        check_equal({x["lport"] for x in here}, {5001, 6001}, f"ports in namespace {netns}")


@case
def fields():
    """Each line has the documented fields, and the same facts as /proc has."""
    tcptop = Tcptop("-o", "json", "0.2")
    before = datetime.datetime.now(datetime.timezone.utc)
    truth = move("flow", "--bytes", 1009)
    lines = tcptop.stop()
    after = datetime.datetime.now(datetime.timezone.utc)
    found = sessions(lines, {key[0] for key in truth})
    check_equal(len(found), 2, "lines")
    for line in found:
        names = {"type", "time", "interval_s", "comm", "rx_bytes", "tx_bytes", *KEY} - {"ifindex"}
        check(names <= set(line), f"missing fields: {names - set(line)}")
        check(line["comm"] in ("flow-sender", "flow-receiver"), f"comm {line['comm']!r}")
        check_equal(line["netns"], os.stat("/proc/self/ns/net").st_ino, "netns")
        check_equal(line.get("mntns"), os.stat("/proc/self/ns/mnt").st_ino, "mntns")
        check_equal(line.get("uid"), os.getuid(), "uid")
        check(line["interval_s"] > 0, "interval_s is not positive")
        time = datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
        slack = datetime.timedelta(seconds=0.1)
        check(before - slack <= time <= after + slack, f"time {time} not from {before} to {after}")
    names = {
        "type",
        "time",
        "interval_s",
        "sessions",
        "rx_bytes",
        "tx_bytes",
        "other_calls",
        "other_rx_bytes",
        "other_tx_bytes",
        "probe",
        "not_counted",
        "missed_runs",
    }
    for line in intervals(lines):
        check(names <= set(line), f"missing fields: {names - set(line)}")


if __name__ == "__main__":
    unshare_mounts()
    sys.exit(main())
