# SPDX-License-Identifier: Apache-2.0
"""The part "filters" of run.py: what each filter costs, as a ratio to none."""
import contextlib
import os
import signal
import subprocess

import bpf
import live
from figures import programs_of, say, spread

FILTER_ROUNDS = 9


@contextlib.contextmanager
def elsewhere(work):
    """What a filter can name that the load is not in: (PID in namespaces of its own, a cgroup, directory of empty and full maps)."""
    with live.cgroup() as group, live.bpffs() as pins:
        with subprocess.Popen(["unshare", "-n", "-m", "sleep", "600"], cwd=work) as other:
            live.wait_for(lambda: os.stat(f"/proc/{other.pid}/ns/net").st_ino != os.stat("/proc/self/ns/net").st_ino, 5, "unshare")
            try:
                yield other.pid, group, pins
            finally:
                other.kill()


def pin_map(pins, name, *keys):
    path = os.path.join(pins, name)
    if os.path.exists(path):
        return path
    descriptor = bpf.pin(bpf.map_create(), path)
    for key in keys:
        bpf.map_add(descriptor, key)
    os.close(descriptor)
    return path


def filters_of(ends, group, other):
    """Each: (title, arguments that let the load pass, arguments that do not)."""
    pid, other_group, pins = other
    both = ",".join(str(end["lport"]) for end in ends)
    mntns = os.stat("/proc/self/ns/mnt").st_ino
    yield "-p", ["-p", ",".join(str(end["pid"]) for end in ends)], ["-p", "1"]
    yield "-4, -6", ["-4"], ["-6"]
    yield "--uid", ["--uid", "0"], ["--uid", "1"]
    yield "--comm", [x for end in ends for x in ("--comm", end["comm"])], ["--comm", "nobody"]
    yield "--port", ["--port", both], ["--port", "1"]
    yield "--lport", ["--lport", both], ["--lport", "1"]
    yield "--rport", ["--rport", both], ["--rport", "1"]
    yield "--host", ["--host", "127.0.0.1"], ["--host", "10.0.0.0/8"]
    yield "--host, of both families", ["--host", "127.0.0.1,::1"], ["--host", "10.0.0.0/8,fd00::/8"]
    yield "--cgroup", ["--cgroup", group], ["--cgroup", other_group]
    yield "--netns", ["--netns", str(os.getpid())], ["--netns", str(pid)]
    yield "--mntns", ["--mntns", str(os.getpid())], ["--mntns", str(pid)]
    yield "--cgroupmap", ["--cgroupmap", pin_map(pins, "cg", os.stat(group).st_ino)], ["--cgroupmap", pin_map(pins, "cg0")]
    yield "--mntnsmap", ["--mntnsmap", pin_map(pins, "mnt", mntns)], ["--mntnsmap", pin_map(pins, "mnt0")]


def filter_round(group, other, turn):
    """{(title, passes): ns a pair}. All at once, so that they see the same events; the first of a hook is not counted: it warms the cache."""
    mover = live.Mover("move", "messages", "--hold", prepare=lambda: live.enter_cgroup(group)).wait_event("holding")
    ends = [line for line in mover.lines() if line["event"] == "connected"]
    wanted = [(("none", True), [])]
    for title, passing, failing in filters_of(ends, group, other):
        wanted += [((title, True), passing), ((title, False), failing)]
    turn %= len(wanted)
    wanted = wanted[turn:] + wanted[:turn]
    tools = [live.Tcptop("-o", "json", "--max-sessions", 1024, 600)]
    for _, arguments in wanted:
        tools.append(live.Tcptop("-o", "json", "--max-sessions", 1024, *arguments, 600, wait=False))
        tools[-1].wait_attached(60)
    before = [programs_of(tool.pid) for tool in tools]
    mover.release()
    mover.expect(0, 60)
    after = [programs_of(tool.pid) for tool in tools]
    found = {}
    for i, (name, _) in enumerate(wanted, 1):
        ns = sum(after[i][number][1] - before[i][number][1] for number in after[i])
        sends = [after[i][x][2] - before[i][x][2] for x in after[i] if after[i][x][0] == "sock_send_length"]
        if not sends:
            raise live.Skipped("the method in use here is not tracepoint: its programs' run times are not told")
        found[name] = ns / max(1, sends[0])
    for tool in tools:
        tool.send(signal.SIGINT)
        tool.expect(0)
    return found


def part_filters(work):
    with elsewhere(work) as other, live.cgroup("-load") as group, bpf.run_times_counted():
        rounds = [filter_round(group, other, number * 5) for number in range(FILTER_ROUNDS)]
    # The least of the rounds: other work on the machine only adds to them.
    least = {name: min(x[name] for x in rounds) for name in rounds[0]}
    say("filters", "no filter, ns a pair of 64 bytes", spread([x["none", True] for x in rounds], 1, 0))
    for title in dict.fromkeys(title for title, _ in least if title != "none"):
        passing, failing = (least[title, passes] / least["none", True] for passes in (True, False))
        say("filters", f"{title}: of it, passed; not passed", f"{passing:.2f}; {failing:.2f}")
