#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every filter alone and together: what passes is there to the byte, what does not is not there at all."""
import contextlib
import os
import sys

import bpf
from live import (
    Skipped,
    Tcptop,
    bpffs,
    case,
    cgroup,
    check,
    check_totals,
    compare,
    enter_cgroup,
    held_flows,
    intervals,
    judged,
    main,
    merge,
    of_pids,
    sessions,
    unshare_mounts,
)

BYTES = 100003


# Four flows: of both families and IPv4-mapped, two of them in a cgroup, two in mount namespaces of their own.
FLOWS = ("plain4", "group4", "group6", "mapped")


def in_group_and_namespace(path):
    enter_cgroup(path)
    unshare_mounts()


def namespace_of(pid):
    return os.stat(f"/proc/{pid}/ns/mnt").st_ino


def tools(movers, maps):
    """Each: (title, arguments, the flows that pass, the PIDs that pass or None)."""
    plain4, group4, group6, _ = movers
    one, several = plain4.pids("sender"), plain4.pids() + group6.pids()
    everybody = [pid for mover in movers for pid in mover.pids()]
    group = ["--cgroupmap", maps["cgroup"]] if "cgroup" in maps else []
    namespace = ["--mntnsmap", maps["mntns"]]

    def comma(pids):
        return ",".join(map(str, pids))

    yield "no filter", [], FLOWS, None
    yield "-p one", ["-p", comma(one)], FLOWS, one
    yield "-p list", ["-p", comma(several)], FLOWS, several
    yield "-p twice", ["-p", comma(one), "--pid", comma(group6.pids())], FLOWS, one + group6.pids()
    yield "-4", ["-4"], ["plain4", "group4", "mapped"], None
    yield "-6", ["-6"], ["group6"], None
    yield "--mntnsmap", namespace, ["group6", "mapped"], None
    yield "-4 --mntnsmap", ["-4", *namespace], ["mapped"], None
    yield "-4 -p", ["-4", "-p", comma(several)], ["plain4"], None
    if group:
        yield "--cgroupmap", group, ["group4", "group6"], None
        yield "-6 --cgroupmap", ["-6", *group], ["group6"], None
        yield "--cgroupmap --mntnsmap", [*group, *namespace], ["group6"], None
        yield "-p --cgroupmap", ["-p", comma(group4.pids() + plain4.pids()), *group], ["group4"], None
        yield "all of them", ["-6", "-p", comma(everybody), *group, *namespace], ["group6"], None
        yield "all, none passes", ["-4", "-p", comma(group6.pids()), *group, *namespace], [], None


def judge(title, tcptop, expected, everybody, filtered):
    lines = tcptop.stop()
    check_totals(lines)
    compare(lines, expected, everybody)
    if filtered:
        strangers = [x for x in sessions(lines) if x["pid"] not in everybody]
        check(not strangers, f"{title}: sessions of others pass: {strangers[:1]}")
    if not expected and filtered:
        check(
            sum(x["rx_bytes"] + x["tx_bytes"] for x in intervals(lines)) == 0, "totals have what was filtered"
        )


@contextlib.contextmanager
def group_or_none():
    with contextlib.ExitStack() as stack:
        try:
            yield stack.enter_context(cgroup()), None
        except Skipped as reason:
            yield None, str(reason)


def pinned(directory, name, keys):
    path = os.path.join(directory, name)
    descriptor = bpf.pin(bpf.map_create(), path)
    for key in keys:
        bpf.map_add(descriptor, key)
    os.close(descriptor)
    return path


@case
def filter():
    """All tools look on the same flows at the same time."""
    with bpffs() as pins, group_or_none() as (group, reason):
        flows = [
            (["--bytes", BYTES], None),
            (["--bytes", BYTES], (lambda: enter_cgroup(group)) if group else None),
            (["--bytes", BYTES, "-6"], (lambda: in_group_and_namespace(group)) if group else unshare_mounts),
            (["--bytes", BYTES, "--mapped"], unshare_mounts),
        ]
        with held_flows(*flows) as (movers, release):
            namespaces = [namespace_of(movers[i].pid) for i in (2, 3)]
            maps = {"mntns": pinned(pins, "mntns", namespaces)}
            if group:
                maps["cgroup"] = pinned(pins, "cgroup", [os.stat(group).st_ino])
            wanted = list(tools(movers, maps))
            running = [Tcptop("-o", "json", "--max-sessions", 4096, *x[1], "0.5", wait=False) for x in wanted]
            for tcptop in running:
                tcptop.wait_attached(40)
            everybody = {pid for mover in movers for pid in mover.pids()}
            release()
            truths = {name: mover.truth() for name, mover in zip(FLOWS, movers)}
        for (title, arguments, names, pids), tcptop in zip(wanted, running):
            truth = merge(*(truths[name] for name in names))
            expected = truth if pids is None else of_pids(truth, pids)
            # -4 and -6 alone let strangers pass
            filtered = bool(arguments) and title not in ("-4", "-6")
            yield judged(title, judge, title, tcptop, expected, everybody, filtered)
        if reason:
            yield "skipped", "--cgroupmap", reason


@case
def cgroup_and_mount_namespace_in_json():
    """The keys that the two maps take stand beside each session."""
    with cgroup() as group:
        flow = (["--bytes", BYTES], lambda: in_group_and_namespace(group))
        with held_flows(flow) as ((mover,), release):
            expected = {(os.stat(group).st_ino, namespace_of(mover.pid))}
            tcptop = Tcptop("-o", "json", "0.2")
            release()
            truth = mover.truth()
            lines = tcptop.stop()
        found = sessions(lines, {key[0] for key in truth})
        check(
            {(x.get("cgroup_id"), x.get("mntns")) for x in found} == expected,
            f"{found[:1]}, expected {expected}",
        )


if __name__ == "__main__":
    unshare_mounts()
    sys.exit(main())
