#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All TCP sockets that processes have open, in three network namespaces at once: as ss(8) has them, and what they wait for."""
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys

from live import (
    Process, Skipped, Tcptop, as_user, case, cgroup, check, check_equal, main, reachable, wait_for,
)

HOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hold_sockets.py")
STATES = {"ESTAB": "ESTABLISHED", "FIN-WAIT-2": "FIN_WAIT2"}  # others differ by a hyphen alone
MOVING = ("app", "remote")


class Holder(Process):
    def __init__(self, *arguments):
        super().__init__([sys.executable, "-B", HOLDER, *arguments], stdin=subprocess.PIPE)
        wait_for(lambda: b"\n" in self.stdout or self.popen.poll() is not None, 20, "sockets are held")
        check(b"\n" in self.stdout, f"the holder ended: {self.stderr}")
        self.ports = json.loads(self.stdout)
        self.netns = os.stat(f"/proc/{self.pid}/ns/net").st_ino


@contextlib.contextmanager
def holders():
    for needed in ("ss", "ip", "nsenter"):
        if not shutil.which(needed):
            raise Skipped(f"{needed} is not installed")
    yield [Holder(), Holder("new"), Holder("new")]


def end_of(text):
    address, _, port = text.rpartition(":")
    return address.strip("[]"), 0 if port == "*" else int(port)


def listed(holder):
    """By its key, the queues of each socket that the process has open, as ss tells."""
    command = ["nsenter", "-t", str(holder.pid), "-n", "ss", "-Htanp"]
    found = {}
    for line in subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines():
        state, received, sent, local, remote, *users = line.split()
        if users and f"pid={holder.pid}," in users[0]:
            name = STATES.get(state, state.replace("-", "_"))
            found[(holder.netns, holder.pid, name, *end_of(local), *end_of(remote))] = (int(received), int(sent))
    return found


def told(lines, pids):
    """The sessions of the latest pass, by the same key; {} when there is none."""
    times = [x["time"] for x in passes(lines)]
    return {
        (x["netns"], x["pid"], x["state"], x["laddr"], x["lport"], x["raddr"], x["rport"]): x
        for x in lines
        if times and x["type"] == "session" and x["time"] == times[-1] and x["pid"] in pids and "state" in x
    }


def passes(lines):
    return [x for x in lines if x["type"] == "interval" and "sockets" in x]


def wait_told(tcptop, pids):
    """By a pass, not the first, that begins from now on: the one at work may have begun before."""
    count = len(passes(tcptop.lines()))
    wait_for(lambda: len(passes(tcptop.lines())) >= count + 2, 20, "two more passes")
    return told(tcptop.lines(), pids)


def queues(session):
    if session["state"] == "LISTEN":
        return session["backlog"], session["backlog_max"]
    # a FIN that has arrived is no byte to be read; ss counts it until the end
    return session["unread_bytes"] + (session["state"] == "CLOSE_WAIT"), session["unsent_bytes"] + session["unacked_bytes"]


def expect_as_listed(tcptop, held):
    pids = {holder.pid for holder in held}
    moving = {(holder.pid, holder.ports[name]) for holder in held for name in MOVING}
    found = wait_told(tcptop, pids)  # what moves still does, all else stands still
    expected = {key: value for holder in held for key, value in listed(holder).items()}
    check(len(expected) >= len(held) * 15, f"ss tells of {len(expected)} sockets")
    check_equal(sorted(set(expected) - set(found)), [], "sockets that ss has alone")
    check_equal(sorted(set(found) - set(expected)), [], "sockets that tcptop has alone")
    for key, value in expected.items():
        if (key[1], key[4]) not in moving:
            check_equal(queues(found[key]), value, f"what waits in {key}")
    return found


def expect(found, holder, name, **members):
    """The one of that name: its state; the part of its time that a cause takes, at least; or what it must not have."""
    (session,) = (
        x for x in found.values() if (x["pid"], x["lport"]) == (holder.pid, holder.ports[name]) and (x["rport"] or name == "full")
    )
    for member, value in members.items():
        text = f"{member} of {name}: {json.dumps(session)}"
        if member.endswith("_pct"):
            check(session.get(member, 0) >= value, text)
        else:
            check_equal(session[member], value, text)
    return session


@case
def equal_to_what_ss_lists():
    with holders() as held:
        tcptop = Tcptop("-a", "-o", "json", "0.5")
        found = expect_as_listed(tcptop, held)
        for holder in held:
            expect(found, holder, "sender", state="ESTABLISHED", why="peer", peer_pct=90, rx_bytes=0, tx_bytes=0)
            expect(found, holder, "slow", state="ESTABLISHED", why="reader", reader_pct=90, rx_bytes=0, tx_bytes=0)
            expect(found, holder, "app", why="app", app_pct=80)
            expect(found, holder, "remote", why="remote", remote_pct=80)
            session = expect(found, holder, "idle", state="ESTABLISHED", why="idle", idle_pct=100, unread_bytes=0)
            check("tx_idle_ms" in session and "rx_idle_ms" not in session, f"idle times: {session}")
            expect(found, holder, "idle6", state="ESTABLISHED", family=6, why="idle", idle_pct=100)
            expect(found, holder, "left", state="CLOSE_WAIT")
            expect(found, holder, "half", state="FIN_WAIT2")
            expect(found, holder, "other", state="CLOSE_WAIT")
            session = expect(found, holder, "full", state="LISTEN", backlog_max=1, backlog=2)
            check("why" not in session, f"a listener waits for nothing: {session}")
            check(session["drops"] > 0, f"its drops: {session}")
            expect(found, holder, "late", state="SYN_SENT")
        tcptop.stop()


@case
def new_ones_come_and_old_ones_go():
    with holders() as held:
        tcptop = Tcptop("-a", "-o", "json", "0.5")
        late = Holder("new")
        wait_for(lambda: told(tcptop.lines(), {late.pid}), 20, "a later process's sockets")
        expect_as_listed(tcptop, [late])
        late.popen.stdin.close()
        late.popen.wait(10)
        wait_for(lambda: not told(tcptop.lines(), {late.pid}), 20, "they are told no more")
        expect_as_listed(tcptop, held)
        tcptop.stop()


@case
def without_being_asked_nothing_is_told():
    with holders() as held:
        tcptop = Tcptop("-o", "json", "0.2")
        wait_for(lambda: len([x for x in tcptop.lines() if x["type"] == "interval"]) > 5, 20, "intervals")
        lines = tcptop.stop()
        pids = {holder.pid for holder in held}
        moving = {holder.ports[name] for holder in held for name in MOVING}
        check_equal([x for x in lines if "state" in x or "sockets" in x], [], "what tells of sockets")
        check_equal([x for x in lines if x.get("pid") in pids and x["lport"] not in moving], [], "of what stands still")


@case
def filters_choose_among_them():
    """By who has a socket, below how many cgroups ever, and by the socket itself."""
    with holders() as held, cgroup() as outer, cgroup() as other:
        inner = os.path.join(outer, "a", "b")
        os.makedirs(inner)
        holder = held[1]
        with open(os.path.join(inner, "cgroup.procs"), "w", encoding="ascii") as stream:
            stream.write(str(holder.pid))
        names = ["/" + os.path.basename(path) for path in (outer, other)]
        all_of_it, ipv6 = len(told_at_the_end(once("-p", str(holder.pid)), holder)), {(x["laddr"], x["lport"]) for x in told_at_the_end(once("-6"), holder)}
        check(all_of_it > 10 and 0 < len(ipv6) < all_of_it, f"{all_of_it} sockets, {len(ipv6)} of IPv6")
        filters = {
            ("--uid", "0"): all_of_it, ("--uid", "!0"): 0, ("--comm", "!no-such-name"): all_of_it,
            ("--netns", str(holder.pid)): all_of_it, ("--mntns", str(holder.pid)): all_of_it,
            ("--cgroup", names[0]): all_of_it, ("--cgroup", names[0] + "/a/b", "--cgroup", names[1]): all_of_it,
            ("--cgroup", names[1]): 0, ("--cgroup", "!" + names[0]): 0, ("--cgroup", "/"): all_of_it,
            ("-p", str(held[2].pid)): 0, ("--lport", str(holder.ports["full"]), "--host", "127.0.0.1"): None,
        }
        running = {words: once(*words) for words in filters}
        for words, count in filters.items():
            found = told_at_the_end(running[words], holder)
            check(len(found) == count if count is not None else 0 < len(found) < all_of_it, f"{words}: {len(found)}, expected {count}")
        holder.popen.stdin.close()
        holder.popen.wait(10)
        os.rmdir(inner)
        os.rmdir(os.path.dirname(inner))


def once(*words):
    return Tcptop("-a", "-o", "json", *words, "0.5", "1")


def told_at_the_end(tcptop, holder):
    tcptop.popen.wait(30)
    return [x for x in tcptop.lines() if x.get("pid") == holder.pid and "state" in x]


@case
def without_root():
    """CAP_BPF and CAP_PERFMON, which it gives up: the same. What perf forbids ends another way."""
    with open("/proc/sys/kernel/perf_event_paranoid", encoding="ascii") as stream:
        if int(stream.read()) > 2:
            raise Skipped("kernel.perf_event_paranoid is above 2")
    with holders() as held, reachable():
        tcptop = Tcptop("-a", "-o", "json", "0.5", prefix=as_user(capabilities="bpf perfmon"))
        expect_as_listed(tcptop, held)
        with open(f"/proc/{tcptop.pid}/status", encoding="ascii") as stream:
            check(re.search(r"^CapEff:\t0+$", stream.read(), re.M), "it has given up all capabilities")
        tcptop.stop()


if __name__ == "__main__":
    sys.exit(main())
