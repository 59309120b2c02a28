# SPDX-License-Identifier: Apache-2.0
"""Loads in containers, whose truth comes out through the shared directory, and what tcptop says of them."""
import itertools
import json
import os
import re

from live import (
    Process, Tcptop, cgroup2_root, check, check_equal, check_totals, children, compare, holds_programs, judged, sessions,
    sum_sessions, wait_for,
)
from stage import SHARE, shared

numbers = itertools.count()


def without_pids(lines):
    """A container's PIDs are its own; a connection of a network namespace has one process here."""
    return [dict(line, pid=0) if "pid" in line else line for line in lines]


def processes_of(program, word):
    """PIDs, as the host has them, of processes of this program of the image with this argument."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                command = stream.read().split(b"\0")
            if command[0] == program.encode() and word.encode() in command:
                yield int(pid)
        except OSError:
            continue


def cgroups_of(pid):
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return ""


def tracing_process(program, word, cgroup=""):
    """PID of a tcptop with this argument, and this in a cgroup's path, when it traces. Its child holds programs earlier."""
    pids = [pid for pid in processes_of(program, word) if cgroup in cgroups_of(pid)]
    below = {child for pid in pids for child in children(pid)}
    return next((pid for pid in pids if pid not in below and holds_programs(pid)), None)


class Load:
    """A flow in a container named name: its amount of bytes is nobody else's. gate: it waits for this file of SHARE."""

    def __init__(self, name, gate="go"):
        self.name = name
        self.bytes = 100003 + 1009 * next(numbers)
        waits = f" --wait-file /share/{gate}" if gate else ""
        self.what = f"/opt/tcptop-check flow --bytes {self.bytes}{waits}"
        self.process = None
        self.cgroup_id = None  # known of one that was seen alive

    def start(self, command, prepare=None):
        """command: of an engine that ends with the container."""
        self.process = Process(command, prepare=prepare)
        return self

    def text(self, kind):
        return shared(f"{self.name}.{kind}")

    def trouble(self):
        said = self.process.stderr + self.process.stdout.decode("utf-8", "replace") if self.process else ""
        return f"{self.name}: {(self.text('err') + said).strip()[-600:]}"

    def lines(self):
        text = self.text("out")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def wait_connected(self):
        def connected():
            check(self.process is None or self.process.popen.poll() is None, f"ended early: {self.trouble()}")
            return any(line.get("event") == "connected" for line in self.lines())

        try:
            wait_for(connected, 20, f"{self.name} connected")
        finally:
            self.pid = next(processes_of("/opt/tcptop-check", str(self.bytes)), None)
        self.cgroup = re.search(r"^0::(.*)$", cgroups_of(self.pid), re.M)[1]
        self.cgroup_id = os.stat(cgroup2_root() + self.cgroup).st_ino
        return self

    def truth(self):
        code = wait_for(lambda: self.text("code"), 30, f"the end of {self.name}")
        check_equal(code.strip(), "0", f"exit code of {self.trouble()}")
        return sum_sessions(without_pids(line for line in self.lines() if "event" not in line and "side" in line))


def open_gate(gate="go"):
    with open(f"{SHARE}/{gate}", "w", encoding="utf-8"):
        pass


def start_tools(wanted, interval="0.5"):
    """Tools that have attached, one for each list of arguments; all of them see the same traffic."""
    running = [Tcptop("-o", "json", *arguments, interval, wait=False) for arguments in wanted]
    for tcptop in running:
        tcptop.wait_attached(60)
    return running


def judge_filtered(lines, truth):
    """Exactly this passes, and nothing else on this machine."""
    lines = without_pids(lines)
    check_totals(lines)
    compare(lines, truth, {0})


def judge_cgroup(lines, truth, cgroup_id, others):
    """Its traffic and no other is counted in this cgroup; not known: in one that is none of the others."""
    lines = without_pids(lines)
    check_totals(lines)
    of_load = [line for line in sessions(lines) if set(sum_sessions([line])) <= set(truth)]
    compare(of_load, truth, {0})
    found = {line.get("cgroup_id") for line in of_load}
    check(len(found) == 1 and not found & others and cgroup_id in (None, *found), f"counted in cgroups {found}")
    compare([line for line in sessions(lines) if line.get("cgroup_id") in found], truth, {0})


def judge_loads(lines, loads, truths):
    """Each load's traffic in its cgroup. truths: by name."""
    root = os.stat(cgroup2_root()).st_ino
    for load in loads:
        check_equal(sum(map(sum, truths[load.name].values())), 2 * load.bytes, f"what {load.name} moved")
        others = {root, None, *(other.cgroup_id for other in loads if other is not load)}
        yield judged(f"{load.name}'s cgroup", judge_cgroup, lines, truths[load.name], load.cgroup_id, others)


def judge_tools(wanted, running, loads):
    """wanted: (title, arguments, names of the loads that pass), the first of them without a filter."""
    truths = {load.name: load.truth() for load in loads}
    printed = [tcptop.stop() for tcptop in running]
    yield from judge_loads(printed[0], loads, truths)
    for (title, _, names), lines in list(zip(wanted, printed))[1:]:
        expected = {}
        for name in names:
            expected.update(truths[name])
        yield judged(title, judge_filtered, lines, expected)
